/** The public surface of `@embedmill/analysis`. */
export * from './calibration/index.ts';
export { type KMeansOptions, kMeans, kMeansDefaults } from './cluster/k-means.ts';
export { dotOf, pickRows, rowOf } from './cluster/matrix.ts';
export type { Clustering, Matrix } from './cluster/types.ts';
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
