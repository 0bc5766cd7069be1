/**
 * Writes a folder in BEIR layout for `embedmill eval --retrieval`, from labelled texts or scored pairs: `node
 * bench/eval/beir-folder.mjs --to FOLDER (--labelled FILE [--queries N] [--most N] | --sts FILE [--same-from
 * N] | --tagged FOLDER)`.
 *
 * Labelled texts: N texts, drawn from a seed, are the queries, all others the corpus. Texts with the same
 * label are relevant; the corpus keeps at most `--most` per label, so that a perfect ranking has all of them
 * among the first 10. Pairs: the first sentences are the queries, the second ones the corpus; pairs with a
 * score of at least `--same-from` are relevant. Both are substitutes for retrieval data; the results are not
 * comparable with BEIR.
 *
 * Tagged papers: the folder cherche/data/semanlink of the Python package cherche (MIT), with papers of arXiv that a
 * person has tagged. The names of the tags are the queries, titles and abstracts the corpus; papers with the tag are
 * relevant. Tags of fewer than 3 or more than 50 papers are left out.
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
    tagged: { type: 'string' },
  },
});
const { to, labelled, sts, tagged } = options;
if (to === undefined || [labelled, sts, tagged].filter((path) => path !== undefined).length !== 1) {
  console.error(
    'usage: node bench/eval/beir-folder.mjs --to FOLDER (--labelled FILE [--queries N] [--most N] | --sts FILE [--same-from N] | --tagged FOLDER)',
  );
  process.exit(2);
}

const made = await make();
write(to, made);
const { corpus, queries, relevant } = made;
console.log(`${to}: ${queries.length} queries, ${corpus.length} documents, ${relevant.length} judgements`);

async function make() {
  if (sts !== undefined) return fromPairs(await readPairs(sts), Number(options['same-from']));
  if (tagged !== undefined) return await fromTags(tagged);
  return fromLabels(await readLabelled(labelled), Number(options.queries), Number(options.most));
}

async function fromTags(folder) {
  const read = async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'));
  const tags = await read('tags.json');
  const papers = (await read('arxiv.json')).filter(({ arxiv_summary: summary }) => summary !== '');
  const corpus = papers.map((paper, n) => ({
    id: `d${n}`,
    text: `${paper.arxiv_title} ${paper.arxiv_summary}`.replaceAll(/\s+/g, ' ').trim(),
  }));
  const papersOf = new Map();
  for (const [n, { tag }] of papers.entries())
    for (const each of new Set(tag)) papersOf.set(each, [...(papersOf.get(each) ?? []), `d${n}`]);
  const used = [...papersOf].filter(([, ids]) => ids.length >= 3 && ids.length <= 50);
  const queries = used.map(([tag], n) => ({ id: `q${n}`, text: tags[tag].prefLabel[0] }));
  const relevant = used.flatMap(([, ids], n) => ids.map((document) => [`q${n}`, document]));
  return { corpus, queries, relevant };
}

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
