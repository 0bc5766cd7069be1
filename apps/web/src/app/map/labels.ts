/**
 * Labels that ids carry: `kettle-00017` and `kettle-00018` are both `kettle`; the map colours points by them.
 */

/** Points in groups. */
export interface PointGroups {
  /** Of each row, an index of `names`. */
  groupOf: Int32Array;
  names: string[];
}

/** More labels than this are no labels but ids. */
const MAX_LABELS = 60;

/** Labels with a colour of their own; the others share one. */
const MAX_NAMED = 7;

/** The label of an id: what stands before the number at its end. */
function labelOf(id: string): string {
  return id.replace(/[\s._:#/-]*\d+$/, '');
}

/** Groups of rows by the labels of their ids, the largest first; `null` when the ids hold no labels. */
export function groupByLabel(ids: readonly string[]): PointGroups | null {
  const labels = ids.map(labelOf);
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size < 2 || counts.size > MAX_LABELS) return null;
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([label]) => label || '(no label)');
  const names = sorted.length > MAX_NAMED + 1 ? [...sorted.slice(0, MAX_NAMED), 'others'] : sorted;
  const places = new Map(sorted.map((label, i) => [label, Math.min(i, names.length - 1)]));
  return { groupOf: Int32Array.from(labels, (label) => places.get(label || '(no label)')!), names };
}
