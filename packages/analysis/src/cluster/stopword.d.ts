/** Types for the used part of `stopword`, which has none. */
declare module 'stopword' {
  export const eng: readonly string[];
  export const jpn: readonly string[];
  export const tha: readonly string[];
  export const zho: readonly string[];
}
