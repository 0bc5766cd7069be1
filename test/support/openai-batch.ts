/** Helpers for tests of batches with the official OpenAI client. */

import OpenAI, { toFile } from 'openai';
import { linesOf, until } from './api.ts';

/** A batch with the fields that Embedmill adds. */
export type ShownBatch = OpenAI.Batch & {
  run_id: string | null;
  rows: { total: number; done: number };
  rows_per_second: number;
  eta_seconds: number | null;
};

/** Creates a client. @param maxRetries automatic retries per call. Default 0 */
export function openAiClient(url: string, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries });
}

/** One request of an input file. */
export function requestLine(customId: string, input: unknown, body: Record<string, unknown> = {}) {
  return {
    custom_id: customId,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model: 'all-MiniLM-L6-v2', input, ...body },
  };
}

/** Uploads lines (values as JSON, strings unchanged) and creates a batch from them. */
export async function submitBatch(
  client: OpenAI,
  lines: readonly unknown[],
  options: Partial<OpenAI.BatchCreateParams> = {},
): Promise<ShownBatch> {
  const text = lines.map((line) => (typeof line === 'string' ? `${line}\n` : linesOf([line]))).join('');
  const file = await client.files.create({
    file: await toFile(Buffer.from(text), 'in.jsonl'),
    purpose: 'batch',
  });
  return (await client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    ...options,
  })) as ShownBatch;
}

/** Polls until the batch is in one of these states. */
export async function whenBatch(
  client: OpenAI,
  id: string,
  states: readonly OpenAI.Batch['status'][] = ['completed', 'failed', 'expired', 'cancelled'],
  timeoutMs = 120_000,
): Promise<ShownBatch> {
  let batch: ShownBatch | undefined;
  await until(async () => {
    batch = (await client.batches.retrieve(id)) as ShownBatch;
    return states.includes(batch.status);
  }, timeoutMs);
  return batch!;
}

/** A line of an output or error file. */
export interface AnswerLine {
  id: string;
  custom_id: string;
  response: {
    status_code: number;
    request_id: string;
    // biome-ignore lint/suspicious/noExplicitAny: a response or an error, and the test checks its own
    body: any;
  } | null;
  error: { code: string; message: string } | null;
}

/** Lines of a file; empty when there is no file. */
export async function readAnswers(client: OpenAI, fileId: string | null | undefined): Promise<AnswerLine[]> {
  if (fileId === null || fileId === undefined) return [];
  return parseAnswers(await (await client.files.content(fileId)).text());
}

/** Parses answers from JSON lines. */
export function parseAnswers(text: string): AnswerLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
