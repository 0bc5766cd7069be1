/** Reader for sentence pairs with scores. */

import { readFile } from 'node:fs/promises';

/**
 * @param {string} path .jsonl with a, b and score; any other file is read in the tab-separated form of the
 * STS Benchmark: genre, file, year, number, score, sentence, sentence
 * @returns {Promise<{ a: string, b: string, score: number }[]>}
 */
export async function readPairs(path) {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const read = path.endsWith('.jsonl') ? fromJson : fromTabs;
  return lines.map((line, i) => {
    const pair = read(line);
    if (typeof pair.a !== 'string' || typeof pair.b !== 'string' || !Number.isFinite(pair.score)) {
      throw new Error(`${path}:${i + 1}: expected two sentences and a score, got ${line.slice(0, 80)}`);
    }
    return pair;
  });
}

function fromJson(line) {
  const { a, b, score } = JSON.parse(line);
  return { a, b, score: Number(score) };
}

function fromTabs(line) {
  const [, , , , score, a, b] = line.split('\t');
  return { a, b, score: Number.parseFloat(score) };
}
