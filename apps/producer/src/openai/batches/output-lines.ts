/** Produces the lines of a batch's output files from its input and run: the same bytes each time. */

import type { EmbedmillError } from '@embedmill/contract';
import type { FinishedRows } from '@embedmill/core/runs';
import { countTokens } from '../../compatible/outcomes.ts';
import { embeddingsJson } from '../embeddings.ts';
import { OpenAiError, openAiErrorOf } from '../errors.ts';
import { type InputOptions, type RequestLine, readInputLines } from './input-lines.ts';
import { RowCursor } from './row-cursor.ts';

/** The outcome of one line of the input. */
export type OutputLine =
  /** For the output file. */
  | { kind: 'completed'; text: string; tokens: number }
  /** For the error file. */
  | { kind: 'failed'; text: string; tokens: number }
  /** Some of its rows are not done. */
  | { kind: 'undone'; customId: string; line: number };

/** What the lines are produced from. */
export interface OutputSource {
  batch: string;
  inputPath: string;
  input: InputOptions;
  /** From `readFinished`; `null` without a run. */
  rows: AsyncIterable<FinishedRows> | null;
}

/** One entry per line of the input, in input order. */
export async function* outputLines({
  batch,
  inputPath,
  input,
  rows,
}: OutputSource): AsyncGenerator<OutputLine> {
  const cursor = new RowCursor(rows ?? noRows());
  try {
    for await (const lines of readInputLines(inputPath, input)) {
      for (const read of lines) {
        // A file with a faulty line is never embedded.
        if (read.kind === 'fault') continue;
        yield await answerLine(batch, read, cursor);
      }
    }
  } finally {
    await cursor.close();
  }
}

/** The line of the error file for a request that was unfinished when the batch was stopped. */
export function unfinishedLine(
  batch: string,
  { customId, line }: { customId: string; line: number },
  why: 'cancelled' | 'expired',
): string {
  const message =
    why === 'cancelled'
      ? 'This request could not be executed before the batch was cancelled.'
      : 'This request could not be executed before the completion window expired.';
  return frame(batch, line, customId, 'null', JSON.stringify({ code: `batch_${why}`, message }));
}

async function answerLine(batch: string, read: RequestLine, cursor: RowCursor): Promise<OutputLine> {
  if (read.rejection !== null) return failed(batch, read, read.rejection, 0);
  const answers = await cursor.take(read.texts.length);
  if (answers === null) return { kind: 'undone', customId: read.customId, line: read.line };
  const tokens = countTokens(answers.outcomes);
  try {
    const text = response(batch, read, 200, embeddingsJson(read.body, answers));
    return { kind: 'completed', text, tokens };
  } catch (error) {
    if (!(error instanceof OpenAiError)) throw error;
    return failed(batch, read, error, tokens);
  }
}

function failed(batch: string, read: RequestLine, error: EmbedmillError, tokens: number): OutputLine {
  const { status, body } = openAiErrorOf(error);
  return { kind: 'failed', text: response(batch, read, status, JSON.stringify(body)), tokens };
}

function response(batch: string, { line, customId }: RequestLine, status: number, body: string): string {
  const id = `req_${suffix(batch)}_${line}`;
  return frame(
    batch,
    line,
    customId,
    `{"status_code":${status},"request_id":"${id}","body":${body}}`,
    'null',
  );
}

function frame(batch: string, line: number, customId: string, response: string, error: string): string {
  const id = `batch_req_${suffix(batch)}_${line}`;
  return `{"id":"${id}","custom_id":${JSON.stringify(customId)},"response":${response},"error":${error}}\n`;
}

function suffix(batch: string): string {
  return batch.replace(/^batch_/, '');
}

async function* noRows(): AsyncGenerator<never> {}
