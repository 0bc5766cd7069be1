/** How good a ranked list of documents is for one query; the retrieval task of the evaluation averages these. */

/** Ids of documents with their relevance; those that are not in it have none. */
export type Relevances = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain of the first `depth` documents, 0 to 1 (Järvelin & Kekäläinen 2002, with the
 * relevance itself as gain, as trec_eval and BEIR have it). 0 when no document is relevant.
 */
export function ndcg(ranked: readonly string[], relevances: Relevances, depth: number): number {
  const gains = ranked.slice(0, depth).map((id) => Math.max(0, relevances.get(id) ?? 0));
  const ideal = [...relevances.values()]
    .filter((relevance) => relevance > 0)
    .sort((a, b) => b - a)
    .slice(0, depth);
  return ideal.length === 0 ? 0 : discountedSum(gains) / discountedSum(ideal);
}

/** Part of the relevant documents that is among the first `depth`, 0 to 1. 0 when no document is relevant. */
export function recall(ranked: readonly string[], relevances: Relevances, depth: number): number {
  const relevant = [...relevances].filter(([, relevance]) => relevance > 0);
  if (relevant.length === 0) return 0;
  const found = new Set(ranked.slice(0, depth));
  return relevant.filter(([id]) => found.has(id)).length / relevant.length;
}

function discountedSum(gains: readonly number[]): number {
  return gains.reduce((sum, gain, n) => sum + gain / Math.log2(n + 2), 0);
}
