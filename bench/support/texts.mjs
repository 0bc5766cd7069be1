/** Texts of a benchmark: a file of the user, or the built-in sample. */

import { createReadStream } from 'node:fs';
import { formatOfName, gunzip, readRows } from '@embedmill/core/formats';

/**
 * @param {string | undefined} path .jsonl, .csv, .tsv or .txt, optionally with .gz; `undefined`: the sample
 * @param {number} limit maximum number of texts
 * @returns {Promise<string[]>}
 */
export async function readTexts(path, limit = Number.POSITIVE_INFINITY) {
  if (path === undefined) {
    const { readSampleReviews } = await import('embedmill/sample');
    const texts = readSampleReviews().map(({ text }) => text);
    return texts.slice(0, limit);
  }
  const isGzip = path.endsWith('.gz');
  const format = formatOfName(path);
  if (format === null)
    throw new Error(
      `${path}: expected a file name that ends in .jsonl, .csv, .tsv or .txt, optionally followed by .gz`,
    );
  const bytes = createReadStream(path);
  const texts = [];
  for await (const rows of readRows(isGzip ? gunzip(bytes) : bytes, { format })) {
    for (const row of rows) if (row.ok) texts.push(row.text);
    if (texts.length >= limit) break;
  }
  return texts.slice(0, limit);
}
