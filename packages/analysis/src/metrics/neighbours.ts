/** Classifies vectors by their nearest labelled rows, without training. */

import { dotOf } from '../cluster/matrix.ts';
import type { Matrix } from '../cluster/types.ts';

/** Rows with one label each. */
export interface LabelledMatrix extends Matrix {
  readonly labels: readonly string[];
}

/**
 * The label of a vector of length 1 by its `count` nearest rows, each of which votes with its cosine; in a
 * tie the label of the nearer row.
 */
export function nearestLabel(query: Float32Array, known: LabelledMatrix, count: number): string {
  const nearest: { label: string; cosine: number }[] = [];
  for (let row = 0; row < known.rows; row++) {
    const cosine = dotOf(known, row, query, 0);
    if (nearest.length === count && cosine <= nearest[count - 1]!.cosine) continue;
    let at = nearest.length;
    while (at > 0 && nearest[at - 1]!.cosine < cosine) at--;
    nearest.splice(at, 0, { label: known.labels[row]!, cosine });
    if (nearest.length > count) nearest.pop();
  }
  const votes = new Map<string, number>();
  for (const { label, cosine } of nearest) votes.set(label, (votes.get(label) ?? 0) + cosine);
  let best: string | null = null;
  for (const [label, vote] of votes) if (best === null || vote > votes.get(best)!) best = label;
  return best ?? '';
}

/** The agreement of predicted and true classes. */
export interface ClassAgreement {
  /** Share of correctly classified rows, 0 to 1. */
  accuracy: number;
  /** Unweighted mean of the F1 of all classes. */
  macroF1: number;
}

/** Compares predicted classes with true classes, row by row. */
export function compareClasses(found: readonly string[], truth: readonly string[]): ClassAgreement {
  const classes = new Map<string, { right: number; found: number; true: number }>();
  const countsOf = (label: string) => {
    const counts = classes.get(label) ?? { right: 0, found: 0, true: 0 };
    classes.set(label, counts);
    return counts;
  };
  let right = 0;
  for (const [row, label] of truth.entries()) {
    const guess = found[row]!;
    countsOf(label).true += 1;
    countsOf(guess).found += 1;
    if (guess !== label) continue;
    countsOf(label).right += 1;
    right += 1;
  }
  const f1s = [...classes.values()].map((counts) => (2 * counts.right) / (counts.found + counts.true));
  return { accuracy: right / truth.length, macroF1: f1s.reduce((sum, f1) => sum + f1, 0) / f1s.length };
}
