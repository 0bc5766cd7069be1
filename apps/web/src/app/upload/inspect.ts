/** Asks the producer how a file would be read: the same judgement as that of the command. */

import type { PlanChoices, ReadingPlan } from '@embedmill/core/formats';
import { requestJson } from '../api/client.ts';
import { readingQuery } from './reading-query.ts';

export type { PlanChoices, ReadingPlan } from '@embedmill/core/formats';

/** Bytes of the file that are sent: enough for several hundred rows. */
const SAMPLE_BYTES = 256 * 1024;

/** First bytes of Parquet and of Arrow files and streams. */
const TABLE_STARTS: readonly (readonly ['parquet' | 'arrow', readonly number[]])[] = [
  ['parquet', [0x50, 0x41, 0x52, 0x31]],
  ['arrow', [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]],
  ['arrow', [0xff, 0xff, 0xff, 0xff]],
];

/**
 * Returns the reading plan of a file.
 * @param choices what the user decided; the plan keeps it
 * @param model model that is to embed the texts. Default: that of the producer
 */
export async function inspectFile(file: File, choices: PlanChoices, model?: string): Promise<ReadingPlan> {
  const format = await tableFormatOf(file);
  if (format === null) {
    const sample = file.slice(0, SAMPLE_BYTES);
    return requestPlan(file.name, { sample, isWhole: sample.size === file.size }, choices, model);
  }
  const { sample, isWhole } = await sampleOfTable(file, format);
  // The columns are stated at the end of the file, so its first rows are sent instead.
  const plan = await requestPlan(file.name, { sample, isWhole }, { ...choices, format: 'jsonl' }, model);
  return { ...plan, format, lineEnd: null };
}

/** Whether a file is a table, by its first bytes. */
async function tableFormatOf(file: File): Promise<'parquet' | 'arrow' | null> {
  const start = new Uint8Array(await file.slice(0, 6).arrayBuffer());
  const found = TABLE_STARTS.find(([, bytes]) => bytes.every((byte, n) => start[n] === byte));
  return found === undefined ? null : found[0];
}

async function sampleOfTable(file: File, format: 'parquet' | 'arrow') {
  const { openTableFile, tableLines } = await import('./table.ts');
  let text = '';
  for await (const { lines } of tableLines(await openTableFile(file, format))) {
    text += lines;
    if (text.length >= SAMPLE_BYTES) break;
  }
  // A slice of the table can be larger than a request may be.
  const end = text.length <= SAMPLE_BYTES ? text.length : text.lastIndexOf('\n', SAMPLE_BYTES) + 1;
  const isWhole = end === text.length && text.length < SAMPLE_BYTES;
  return { sample: new Blob([end === 0 ? text : text.slice(0, end)]), isWhole };
}

function requestPlan(
  name: string,
  { sample, isWhole }: { sample: Blob; isWhole: boolean },
  choices: PlanChoices,
  model?: string,
): Promise<ReadingPlan> {
  const query = new URLSearchParams({ name, complete: String(isWhole), ...readingQuery(choices) });
  for (const field of ['format', 'textField', 'idField'] as const) {
    const chosen = choices[field];
    if (chosen !== undefined) query.set(field, chosen);
  }
  if (model !== undefined) query.set('model', model);
  return requestJson<ReadingPlan>(`v1/inspect?${query}`, {
    method: 'POST',
    body: sample,
    contentType: 'application/octet-stream',
  });
}
