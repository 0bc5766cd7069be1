/**
 * Groups rows by the prefix of their ids, such as `kettle` for `kettle-00017`; the map colours points by
 * group.
 */

/** An assignment of rows to named groups. */
export interface PointGroups {
  /** Index into `names` for each row; −1 for none. */
  groupOf: Int32Array;
  names: string[];
}

/** With more distinct prefixes, the ids are not labelled. */
const MAX_LABELS = 60;

/** Groups with their own colour; all others share one. */
const MAX_NAMED = 7;

/** Returns the id without its final number and the separator before it. */
function labelOf(id: string): string {
  return id.replace(/[\s._:#/-]*\d+$/, '');
}

/** Groups rows by the labels of their ids, largest group first; returns `null` if the ids have no labels. */
export function groupByLabel(ids: readonly string[]): PointGroups | null {
  const labels = ids.map(labelOf);
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size < 2 || counts.size > MAX_LABELS) return null;
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([label]) => label || '(no label)');
  const names = sorted.length > MAX_NAMED + 1 ? [...sorted.slice(0, MAX_NAMED), 'others'] : sorted;
  const groups = new Map(sorted.map((label, i) => [label, Math.min(i, names.length - 1)]));
  return { groupOf: Int32Array.from(labels, (label) => groups.get(label || '(no label)')!), names };
}
