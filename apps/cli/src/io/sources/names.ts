/** Names of the files of one dataset: which of a folder belong to it, and their order. */

/** Names that tools leave in folders of shards. */
const HIDDEN = /^[._]/;

/** Whether a path inside a folder is not hidden at any level. */
export function isDataFile(path: string): boolean {
  return !path.split('/').some((part) => HIDDEN.test(part));
}

/** Orders by code units, as `LC_ALL=C sort` does: the same on every machine. */
export function byPath(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
