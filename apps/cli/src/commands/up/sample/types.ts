/** What the sample is made from; products/ fills these types, compose.ts reads them. */

/**
 * A sentence with choices: `{a|b}` stands for one of the alternatives, which may be empty; choices do not nest. The
 * names `{product}`, `{time}` and `{person}` stand for a word that the review keeps from its start to its end.
 */
export type Pattern = string;

/** One thing that people praise or complain about in a product. */
export interface Aspect {
  /** As it stands in "the … is good": a noun without article, for example `battery life`. */
  noun: string;
  /** True for a noun that takes "are". Default false. */
  plural?: true;
  praise: readonly Pattern[];
  complaints: readonly Pattern[];
}

/** A kind of product with what there is to say about it. */
export interface Product {
  /** For ids: lower-case letters and hyphens. */
  slug: string;
  /** As it stands behind "this" or "these". */
  names: readonly string[];
  /** True for a pair of something: "these shoes are". Default false. */
  plural?: true;
  aspects: readonly Aspect[];
}
