/**
 * Retrieval task: ranks documents for queries and compares with relevance judgements, in the folder layout of
 * BEIR.
 */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ndcg, type Relevances, recall } from '@embedmill/analysis';
import { quote, rowView } from '@embedmill/contract';
import { Nearest, scanRows } from '@embedmill/core/formats';
import { numberField, readRecords, textField } from '../../io/records/read-records.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import type { EvalTask } from './types.ts';

/** Depth of nDCG, as reported by BEIR. */
const NDCG_DEPTH = 10;

/** Depths of recall. */
const RECALL_DEPTHS = [10, 100] as const;

/** Texts by id. */
type Texts = Map<string, string>;

/**
 * Opens a BEIR folder.
 * @param folder contains corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels/*.tsv
 * (query-id, corpus-id, score); of several qrels, `test.tsv` is used
 * @throws {UsageError} for missing or invalid files
 */
export async function openRetrieval(folder: string): Promise<EvalTask> {
  const corpus = await readTexts(join(folder, 'corpus.jsonl'));
  const queries = await readTexts(join(folder, 'queries.jsonl'));
  const { judged, unknown } = await readJudgements(await qrelsFile(folder), { corpus, queries });
  const judgedQueries = [...queries].filter(([id]) => judged.has(id));
  const documents = [...corpus.values()];
  return {
    kind: 'retrieval',
    name: basename(folder),
    size:
      `${judgedQueries.length === 1 ? '1 query' : `${formatCount(judgedQueries.length)} queries`}, ` +
      `${formatNoun(corpus.size, 'document')}${unknown === 0 ? '' : `; ${formatNoun(unknown, 'judgement')} of unknown texts`}`,
    texts: judgedQueries.length + corpus.size,
    async run(embedder, onText) {
      const { dim, vectors } = await embedder.embed(documents, onText, 'document');
      const embedded = await embedder.embed(
        judgedQueries.map(([, text]) => text),
        (done) => onText(documents.length + done),
      );
      const rows = { ids: [...corpus.keys()], dim, vectors, present: new Uint8Array(corpus.size).fill(1) };
      const sums = new Map<string, number>();
      const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
      for (const [n, [id]] of judgedQueries.entries()) {
        // One more, in case the query itself is a document.
        const nearest = new Nearest(Math.max(...RECALL_DEPTHS) + 1);
        scanRows(rowView(embedded.vectors, dim, n), rows, 0, nearest);
        // As in BEIR, a query that is also a document (Quora, ArguAna) is not a hit of its own.
        const ranked = nearest.hits.map((hit) => hit.id).filter((document) => document !== id);
        const relevances = judged.get(id)!;
        add(`nDCG@${NDCG_DEPTH}`, ndcg(ranked, relevances, NDCG_DEPTH));
        for (const depth of RECALL_DEPTHS) add(`recall@${depth}`, recall(ranked, relevances, depth));
      }
      return [...sums].map(([name, sum]) => ({ name, value: sum / judgedQueries.length }));
    },
  };
}

async function readTexts(path: string): Promise<Texts> {
  const texts: Texts = new Map();
  for await (const record of readRecords(path, 'text')) {
    const { title } = record.fields;
    const text = textField(record, 'text');
    // As in BEIR's dense models, the title precedes the text.
    texts.set(
      textField(record, '_id'),
      typeof title === 'string' && title !== '' ? `${title} ${text}` : text,
    );
  }
  if (texts.size === 0)
    throw new UsageError(`${quote(path, 200)} is empty; expected texts with "_id" and "text"`);
  return texts;
}

async function qrelsFile(folder: string): Promise<string> {
  const qrels = join(folder, 'qrels');
  const files = existsSync(qrels)
    ? (await readdir(qrels)).filter((name) => name.endsWith('.tsv')).sort()
    : [];
  const chosen = files.includes('test.tsv') ? 'test.tsv' : files[0];
  if (chosen === undefined) throw new UsageError(`there is no .tsv with judgements in ${quote(qrels, 200)}`);
  return join(qrels, chosen);
}

async function readJudgements(
  path: string,
  known: { corpus: Texts; queries: Texts },
): Promise<{ judged: Map<string, Relevances>; unknown: number }> {
  const judged = new Map<string, Map<string, number>>();
  let unknown = 0;
  for await (const record of readRecords(path, 'query-id')) {
    const query = textField(record, 'query-id');
    const document = textField(record, 'corpus-id');
    const score = numberField(record, 'score');
    if (score <= 0) continue;
    if (!known.queries.has(query) || !known.corpus.has(document)) unknown += 1;
    // As in trec_eval, a relevant document missing from the corpus counts as not found.
    if (!known.queries.has(query)) continue;
    const of = judged.get(query) ?? new Map<string, number>();
    judged.set(query, of.set(document, score));
  }
  const isAnyKnown = [...judged.values()].some((of) => [...of.keys()].some((id) => known.corpus.has(id)));
  if (!isAnyKnown) {
    throw new UsageError(`${quote(path, 200)} has no relevant document of the corpus for any of the queries`);
  }
  return { judged, unknown };
}
