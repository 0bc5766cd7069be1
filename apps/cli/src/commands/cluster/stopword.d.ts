/** The part of `stopword` that is used; the package has no types of its own. */
declare module 'stopword' {
  export const eng: readonly string[];
}
