/** Tells the format of an input from its name, for the CLI. */
import type { RowFormat } from './types.ts';

const formats: ReadonlyMap<string, RowFormat> = new Map([
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['csv', 'csv'],
  ['tsv', 'tsv'],
  ['txt', 'txt'],
]);

/**
 * The format of a file called `name` (`reviews.jsonl`, `REVIEWS.CSV.GZ`; letter case does not matter), and whether it is
 * gzipped; null when the name says neither. `.ndjson` is another name of `.jsonl`.
 */
export function detectFormat(name: string): { format: RowFormat; gzip: boolean } | null {
  const found = /\.([a-z]+)(\.gz)?$/i.exec(name);
  const format = formats.get(found?.[1]?.toLowerCase() ?? '');
  return format === undefined ? null : { format, gzip: found?.[2] !== undefined };
}
