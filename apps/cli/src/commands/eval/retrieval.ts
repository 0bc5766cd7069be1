/** Retrieval: do queries find the documents that people found relevant? Reads the folders of the BEIR benchmark. */

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

/** Depth of nDCG, as BEIR reports it. */
const NDCG_DEPTH = 10;

/** Depths of recall. */
const RECALL_DEPTHS = [10, 100] as const;

/** Texts under their ids. */
type Texts = Map<string, string>;

/**
 * @param folder with corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels/*.tsv (query-id, corpus-id,
 * score); of several qrels `test.tsv` is taken
 * @throws {UsageError}
 */
export async function openRetrieval(folder: string): Promise<EvalTask> {
  const corpus = await readTexts(join(folder, 'corpus.jsonl'));
  const queries = await readTexts(join(folder, 'queries.jsonl'));
  const { judged, strangers } = await readJudgements(await qrelsFile(folder), { corpus, queries });
  const asked = [...queries].filter(([id]) => judged.has(id));
  const documents = [...corpus.values()];
  return {
    kind: 'retrieval',
    name: basename(folder),
    size:
      `${asked.length === 1 ? '1 query' : `${formatCount(asked.length)} queries`}, ` +
      `${formatNoun(corpus.size, 'document')}${strangers === 0 ? '' : `; ${formatNoun(strangers, 'judgement')} of texts that are not there`}`,
    texts: asked.length + corpus.size,
    async run(embedder, onText) {
      const { dim, vectors } = await embedder.embed(documents, onText, 'document');
      const found = await embedder.embed(
        asked.map(([, text]) => text),
        (done) => onText(documents.length + done),
      );
      const rows = { ids: [...corpus.keys()], dim, vectors, present: new Uint8Array(corpus.size).fill(1) };
      const sums = new Map<string, number>();
      const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
      for (const [n, [id]] of asked.entries()) {
        // One more, for the query itself.
        const nearest = new Nearest(Math.max(...RECALL_DEPTHS) + 1);
        scanRows(rowView(found.vectors, dim, n), rows, 0, nearest);
        // BEIR: a query that is a document itself (Quora, ArguAna) does not find itself.
        const ranked = nearest.hits.map((hit) => hit.id).filter((document) => document !== id);
        const relevances = judged.get(id)!;
        add(`nDCG@${NDCG_DEPTH}`, ndcg(ranked, relevances, NDCG_DEPTH));
        for (const depth of RECALL_DEPTHS) add(`recall@${depth}`, recall(ranked, relevances, depth));
      }
      return [...sums].map(([name, sum]) => ({ name, value: sum / asked.length }));
    },
  };
}

async function readTexts(path: string): Promise<Texts> {
  const texts: Texts = new Map();
  for await (const record of readRecords(path)) {
    const { title } = record.fields;
    const text = textField(record, 'text');
    // As BEIR's own dense models read a document.
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
): Promise<{ judged: Map<string, Relevances>; strangers: number }> {
  const judged = new Map<string, Map<string, number>>();
  let strangers = 0;
  for await (const record of readRecords(path)) {
    const query = textField(record, 'query-id');
    const document = textField(record, 'corpus-id');
    const score = numberField(record, 'score');
    if (score <= 0) continue;
    if (!known.queries.has(query) || !known.corpus.has(document)) strangers += 1;
    // As trec_eval has it, a relevant document that is not in the corpus counts as one that was not found.
    if (!known.queries.has(query)) continue;
    const of = judged.get(query) ?? new Map<string, number>();
    judged.set(query, of.set(document, score));
  }
  const isFound = [...judged.values()].some((of) => [...of.keys()].some((id) => known.corpus.has(id)));
  if (!isFound) {
    throw new UsageError(
      `${quote(path, 200)} judges no document of the corpus relevant to any of the queries`,
    );
  }
  return { judged, strangers };
}
