/** The tables of an analysed run that people take away: its topics, and its rows with their topics. */

import { columnValue, type KeptValue, type RunTopics } from '@embedmill/contract';
import type { FlatCell, FlatColumn, FlatRows } from '@embedmill/core/formats';
import { type Run, readRowsSent, type StoredAnalysis } from '@embedmill/core/runs';

/** A table of any format. */
export interface FlatTable {
  columns: FlatColumn[];
  rows: FlatRows;
}

/** Typical texts of a topic. */
const EXAMPLES = 3;

/** Digits of a share and a score. */
const DIGITS = 4;

/** One row per topic, largest first. */
export function topicsTable({ topics, groups }: RunTopics): FlatTable {
  const names = new Map(topics.map(({ topic, name }) => [topic, name]));
  const columns: FlatColumn[] = [
    { name: 'topic', kind: 'number' },
    { name: 'name', kind: 'text' },
    { name: 'group', kind: 'text' },
    { name: 'rows', kind: 'number' },
    { name: 'share', kind: 'number' },
    { name: 'key_terms', kind: 'text' },
    { name: 'nearest_topic', kind: 'text' },
    { name: 'terms_against_nearest', kind: 'text' },
    ...Array.from({ length: EXAMPLES }, (_, n): FlatColumn => ({ name: `text_${n + 1}`, kind: 'text' })),
  ];
  const rows = topics.map(
    ({ topic, name, group, rows: size, share, terms, nearest, examples }): FlatCell[] => [
      topic,
      name,
      group === null ? null : (groups[group]?.name ?? null),
      size,
      rounded(share),
      terms.map(({ term }) => term).join(', '),
      nearest === null ? null : names.get(nearest.topic)!,
      nearest?.terms.join(', ') ?? null,
      ...Array.from({ length: EXAMPLES }, (_, n) => examples[n]?.text ?? null),
    ],
  );
  return { columns, rows: once(rows) };
}

/**
 * The rows of a run in their order: id, text, kept columns, topic, name of the topic, score.
 * @param columns names of the kept columns
 * @param wanted rows, 0-based; `null` for all
 */
export function rowsTable(
  run: Run,
  { topicOf, scores }: StoredAnalysis,
  {
    topics,
    columns,
    wanted,
  }: { topics: RunTopics; columns: readonly string[]; wanted: ReadonlySet<number> | null },
): FlatTable {
  const names = topics.topics.map(({ name }) => name);
  const taken = new Set(['id', 'text', 'topic', 'topic_name', 'score']);
  // A column of the input with one of these names is told apart.
  const named = columns.map(
    (name): FlatColumn => ({ name: taken.has(name) ? `${name}_column` : name, kind: 'text' }),
  );
  async function* rows(): AsyncGenerator<FlatCell[][]> {
    for await (const batch of readRowsSent(run)) {
      const some = wanted === null ? batch : batch.filter(({ row }) => wanted.has(row));
      if (some.length === 0) continue;
      yield some.map(({ row, id, text, columns: values }) => {
        const topic = topicOf[row]!;
        return [
          ...[id, text],
          ...columns.map((name) => cellOfValue(columnValue(values, name))),
          ...(topic < 0 ? [null, null, null] : [topic, names[topic]!, rounded(scores[row]!)]),
        ];
      });
    }
  }
  return {
    columns: [
      { name: 'id', kind: 'text' },
      { name: 'text', kind: 'text' },
      ...named,
      { name: 'topic', kind: 'number' },
      { name: 'topic_name', kind: 'text' },
      { name: 'score', kind: 'number' },
    ],
    rows: rows(),
  };
}

async function* once(rows: FlatCell[][]): AsyncGenerator<FlatCell[][]> {
  yield rows;
}

/** A text that is a number as it would be written, is one: files of text have no types. */
function cellOfValue(value: KeptValue | undefined): FlatCell {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' && String(Number(value)) === value && value !== 'NaN'
    ? Number(value)
    : value;
}

function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}
