/** The rules that choose one threshold from a curve. */

import type { CurvePoint } from './types.ts';

/** Chooses a point of the curve, or null if no point qualifies. */
export type ThresholdRule = (curve: readonly CurvePoint[]) => CurvePoint | null;

/** The maximum F1; the highest threshold in a tie. */
export const bestF1: ThresholdRule = (curve) => largest(curve, ({ f1 }) => f1);

/** The maximum precision of the points with at least this recall; the highest threshold in a tie. */
export function atRecall(wanted: number): ThresholdRule {
  return (curve) =>
    largest(
      curve.filter(({ recall }) => recall >= wanted),
      ({ precision }) => precision,
    );
}

/** The maximum recall of the points with at least this precision; the highest threshold in a tie. */
export function atPrecision(wanted: number): ThresholdRule {
  return (curve) =>
    largest(
      curve.filter(({ precision }) => precision >= wanted),
      ({ recall }) => recall,
    );
}

/** The first point with the maximum value. */
function largest(curve: readonly CurvePoint[], sizeOf: (point: CurvePoint) => number): CurvePoint | null {
  let best: CurvePoint | null = null;
  for (const point of curve) if (best === null || sizeOf(point) > sizeOf(best)) best = point;
  return best;
}
