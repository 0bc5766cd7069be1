/** Detects the format of an input from its file name, for the CLI. */

import type { RowFormat } from './types.ts';

const FORMATS_BY_EXTENSION: ReadonlyMap<string, RowFormat> = new Map([
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['csv', 'csv'],
  ['tsv', 'tsv'],
  ['txt', 'txt'],
]);

/**
 * The format of a file called `name` (`reviews.jsonl`, `REVIEWS.CSV.GZ`; case-insensitive), and whether it is
 * gzipped; null if the name has no known extension. `.ndjson` means the same as `.jsonl`.
 */
export function detectFormat(name: string): { format: RowFormat; gzip: boolean } | null {
  const found = /\.([a-z]+)(\.gz)?$/i.exec(name);
  const format = FORMATS_BY_EXTENSION.get(found?.[1]?.toLowerCase() ?? '');
  return format === undefined ? null : { format, gzip: found?.[2] !== undefined };
}
