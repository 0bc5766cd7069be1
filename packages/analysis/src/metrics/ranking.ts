/** Measures the quality of a ranked list of documents for one query. */

/** Relevance by document id; missing documents are not relevant. */
export type Relevances = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain of the first `depth` documents, 0 to 1 (Järvelin & Kekäläinen 2002,
 * with the relevance as gain, as in trec_eval and BEIR). 0 if no document is relevant.
 */
export function ndcg(ranked: readonly string[], relevances: Relevances, depth: number): number {
  const gains = ranked.slice(0, depth).map((id) => Math.max(0, relevances.get(id) ?? 0));
  const ideal = [...relevances.values()]
    .filter((relevance) => relevance > 0)
    .sort((a, b) => b - a)
    .slice(0, depth);
  return ideal.length === 0 ? 0 : discountedSum(gains) / discountedSum(ideal);
}

/** Share of the relevant documents among the first `depth`, 0 to 1; 0 if no document is relevant. */
export function recall(ranked: readonly string[], relevances: Relevances, depth: number): number {
  const relevant = [...relevances].filter(([, relevance]) => relevance > 0);
  if (relevant.length === 0) return 0;
  const found = new Set(ranked.slice(0, depth));
  return relevant.filter(([id]) => found.has(id)).length / relevant.length;
}

function discountedSum(gains: readonly number[]): number {
  return gains.reduce((sum, gain, n) => sum + gain / Math.log2(n + 2), 0);
}
