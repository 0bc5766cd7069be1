/** Measures the agreement of clusters with labels. */

/** The three figures of Rosenberg & Hirschberg 2007, each 0 to 1. */
export interface PartitionAgreement {
  /** 1 if each cluster has only one label. */
  homogeneity: number;
  /** 1 if each label is in only one cluster. */
  completeness: number;
  /** Harmonic mean of the two. */
  vMeasure: number;
}

/** Compares the label and the cluster of each row. */
export function compareWithLabels(
  labels: readonly string[],
  clusters: ArrayLike<number>,
): PartitionAgreement {
  const joint = new Map<string, Map<number, number>>();
  const clusterSizes = new Map<number, number>();
  for (const [row, label] of labels.entries()) {
    const cluster = clusters[row]!;
    const of = joint.get(label) ?? new Map<number, number>();
    joint.set(label, of);
    of.set(cluster, (of.get(cluster) ?? 0) + 1);
    clusterSizes.set(cluster, (clusterSizes.get(cluster) ?? 0) + 1);
  }
  const total = labels.length;
  const labelSizes = [...joint.values()].map((of) => [...of.values()].reduce((sum, count) => sum + count, 0));
  const labelEntropy = entropy(labelSizes, total);
  const clusterEntropy = entropy([...clusterSizes.values()], total);
  const jointEntropy = entropy(
    [...joint.values()].flatMap((of) => [...of.values()]),
    total,
  );
  // H(label | cluster) = H(label, cluster) − H(cluster), and the other way round.
  const homogeneity = labelEntropy === 0 ? 1 : 1 - (jointEntropy - clusterEntropy) / labelEntropy;
  const completeness = clusterEntropy === 0 ? 1 : 1 - (jointEntropy - labelEntropy) / clusterEntropy;
  const sum = homogeneity + completeness;
  return { homogeneity, completeness, vMeasure: sum === 0 ? 0 : (2 * homogeneity * completeness) / sum };
}

/** Entropy in nats of groups of these sizes. */
function entropy(sizes: readonly number[], total: number): number {
  return -sizes.reduce((sum, size) => sum + (size / total) * Math.log(size / total), 0);
}
