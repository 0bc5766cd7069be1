/** The rules that pick one threshold from a curve. */

import type { CurvePoint } from './types.ts';

/** Picks a point, or none when no point will do. */
export type Rule = (curve: readonly CurvePoint[]) => CurvePoint | null;

/** The largest F1; of equal ones the highest threshold. */
export const bestF1: Rule = (curve) => largest(curve, ({ f1 }) => f1);

/** The largest precision among the points with at least this recall; of equal ones the highest threshold. */
export function atRecall(wanted: number): Rule {
  return (curve) =>
    largest(
      curve.filter(({ recall }) => recall >= wanted),
      ({ precision }) => precision,
    );
}

/** The largest recall among the points with at least this precision; of equal ones the highest threshold. */
export function atPrecision(wanted: number): Rule {
  return (curve) =>
    largest(
      curve.filter(({ precision }) => precision >= wanted),
      ({ recall }) => recall,
    );
}

/** The first point with the largest value. */
function largest(curve: readonly CurvePoint[], sizeOf: (point: CurvePoint) => number): CurvePoint | null {
  let best: CurvePoint | null = null;
  for (const point of curve) if (best === null || sizeOf(point) > sizeOf(best)) best = point;
  return best;
}
