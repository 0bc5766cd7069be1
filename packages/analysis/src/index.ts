/** The public interface of `@embedmill/analysis`. */

export * from './calibration/index.ts';
export { nearestOthers, simplifiedSilhouette } from './cluster/centroids.ts';
export { duplicateSteps } from './cluster/duplicates.ts';
export { K_MEANS_DEFAULTS, type KMeansOptions, kMeans, kMeansSteps } from './cluster/k-means.ts';
export { KeyTerms } from './cluster/key-terms.ts';
export { dotOf, pickRows, rowOf } from './cluster/matrix.ts';
export { representativeRows } from './cluster/representatives.ts';
export { finish, type Steps, scaledSteps } from './cluster/steps.ts';
export { ALL_STOP_WORDS, STOP_WORDS } from './cluster/stop-words.ts';
export {
  type GroupSummary,
  nameFromTerms,
  REPRESENTATIVES,
  summarizeTopics,
  type TopicSummary,
  type TopicsSummary,
  topicTerms,
} from './cluster/summary.ts';
export { type TopicChoice, type TopicOptions, type Topics, topicSteps } from './cluster/topics.ts';
export type { Clustering, Matrix } from './cluster/types.ts';
export {
  isContraction,
  isWithoutSpaces,
  type Word,
  WordSplitter,
  withoutPossessive,
} from './cluster/words.ts';
export {
  MAX_LAYOUT_ROWS,
  type MapOptions,
  mapSteps,
  type ProjectOptions,
  projectMap,
} from './map/project-map.ts';
export { pearson, spearman } from './metrics/correlation.ts';
export {
  type ClassAgreement,
  compareClasses,
  type LabelledMatrix,
  nearestLabel,
} from './metrics/neighbours.ts';
export { compareWithLabels, type PartitionAgreement } from './metrics/partition.ts';
export { ndcg, type Relevances, recall } from './metrics/ranking.ts';
export { type Random, randomFrom } from './random.ts';
export { PackedVectors } from './search/packed-vectors.ts';
export { foldWord, type Term, TermSplitter } from './search/terms.ts';
export { type ScoredRow, TopRows } from './search/top-rows.ts';
export { WordIndex, type WordSearchOptions } from './search/word-index.ts';
