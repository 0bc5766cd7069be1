/** The texts that a benchmark runs over: a file of the user, or the project's own sample. */

import { createReadStream } from 'node:fs';
import { detectFormat, gunzip, readRows } from '@embedmill/core/formats';

/**
 * @param {string | undefined} path .jsonl, .csv, .tsv or .txt, each also .gz; the sample without it
 * @param {number} limit most texts
 * @returns {Promise<string[]>}
 */
export async function readTexts(path, limit = Number.POSITIVE_INFINITY) {
  if (path === undefined) {
    const { readSampleReviews } = await import('embedmill/sample');
    const texts = readSampleReviews().map(({ text }) => text);
    return texts.slice(0, limit);
  }
  const found = detectFormat(path);
  if (found === null)
    throw new Error(
      `${path}: expected a name that ends in .jsonl, .csv, .tsv or .txt, or one of these and .gz`,
    );
  const bytes = createReadStream(path);
  const texts = [];
  for await (const rows of readRows(found.gzip ? gunzip(bytes) : bytes, { format: found.format })) {
    for (const row of rows) if (row.ok) texts.push(row.text);
    if (texts.length >= limit) break;
  }
  return texts.slice(0, limit);
}
