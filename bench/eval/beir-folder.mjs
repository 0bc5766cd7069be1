/**
 * Writes a folder in BEIR layout for `embedmill eval --retrieval`, from labelled texts or scored pairs: `node
 * bench/eval/beir-folder.mjs --to FOLDER (--labelled FILE [--queries N] [--most N] | --sts FILE [--same-from
 * N])`.
 *
 * Labelled texts: N texts, drawn from a seed, are the queries, all others the corpus. Texts with the same
 * label are relevant; the corpus keeps at most `--most` per label, so that a perfect ranking has all of them
 * among the first 10. Pairs: the first sentences are the queries, the second ones the corpus; pairs with a
 * score of at least `--same-from` are relevant. Both are substitutes for retrieval data; the results are not
 * comparable with BEIR.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { randomFrom } from '@embedmill/analysis';
import { readPairs } from './pairs.mjs';

const { values: options } = parseArgs({
  options: {
    to: { type: 'string' },
    labelled: { type: 'string' },
    queries: { type: 'string', default: '500' },
    most: { type: 'string', default: '10' },
    sts: { type: 'string' },
    'same-from': { type: 'string', default: '4' },
  },
});
if (options.to === undefined || (options.labelled === undefined) === (options.sts === undefined)) {
  console.error(
    'usage: node bench/eval/beir-folder.mjs --to FOLDER (--labelled FILE [--queries N] [--most N] | --sts FILE [--same-from N])',
  );
  process.exit(2);
}

const made =
  options.labelled === undefined
    ? fromPairs(await readPairs(options.sts), Number(options['same-from']))
    : fromLabels(await readLabelled(options.labelled), Number(options.queries), Number(options.most));
write(options.to, made);
const { corpus, queries, relevant } = made;
console.log(
  `${options.to}: ${queries.length} queries, ${corpus.length} documents, ${relevant.length} judgements`,
);

/** @returns {Promise<{ text: string, label: string }[]>} rows of a .jsonl or .jsonl.gz file */
async function readLabelled(path) {
  const bytes = await readFile(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** The corpus keeps at most `maxPerLabel` texts per label, without the queries. */
function fromLabels(rows, queryCount, maxPerLabel) {
  const drawn = randomFrom(1).shuffle(rows);
  const queries = drawn.slice(0, queryCount).map(({ text, label }, n) => ({ id: `q${n}`, text, label }));
  const ofLabel = new Map();
  const corpus = [];
  for (const { text, label } of drawn.slice(queryCount)) {
    const ids = ofLabel.get(label) ?? [];
    if (ids.length === maxPerLabel) continue;
    ids.push(`d${corpus.length}`);
    ofLabel.set(label, ids);
    corpus.push({ id: ids.at(-1), text });
  }
  const relevant = queries.flatMap(({ id, label }) =>
    (ofLabel.get(label) ?? []).map((document) => [id, document]),
  );
  return { corpus, queries, relevant };
}

/** A sentence that occurs in several pairs becomes one query or one document. */
function fromPairs(pairs, sameFrom) {
  const idsOf = (texts, letter) => new Map([...new Set(texts)].map((text, n) => [text, `${letter}${n}`]));
  const same = pairs.filter(({ score }) => score >= sameFrom);
  const documents = idsOf(
    pairs.map(({ b }) => b),
    'd',
  );
  const queries = idsOf(
    same.map(({ a }) => a),
    'q',
  );
  const rowsOf = (ids) => [...ids].map(([text, id]) => ({ id, text }));
  return {
    corpus: rowsOf(documents),
    queries: rowsOf(queries),
    relevant: same.map(({ a, b }) => [queries.get(a), documents.get(b)]),
  };
}

function write(folder, { corpus, queries, relevant }) {
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  for (const [name, rows] of Object.entries({ corpus, queries })) {
    const lines = rows.map(({ id, text }) => JSON.stringify({ _id: id, text }));
    writeFileSync(join(folder, `${name}.jsonl`), `${lines.join('\n')}\n`);
  }
  const lines = relevant.map(([query, document]) => `${query}\t${document}\t1`);
  writeFileSync(join(folder, 'qrels', 'test.tsv'), `query-id\tcorpus-id\tscore\n${lines.join('\n')}\n`);
}
