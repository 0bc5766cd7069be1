/** Types for the used part of `stopword`, which has none. */
declare module 'stopword' {
  export const eng: readonly string[];
}
