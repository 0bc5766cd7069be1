/** Makes the lines of a batch's output and error files from its input and its run: the same bytes whenever it is asked. */

import type { EmbedmillError } from '@embedmill/contract';
import type { FinishedRows } from '@embedmill/core/runs';
import { countTokens } from '../../compatible/outcomes.ts';
import { embeddingsJson } from '../embeddings.ts';
import { OpenAiError, openAiErrorOf } from '../errors.ts';
import { type LineRules, type RequestLine, readInputLines } from './lines.ts';
import { RowCursor } from './row-cursor.ts';

/** What became of one line of the input. */
export type OutputLine =
  /** It goes to the output file. */
  | { kind: 'completed'; text: string; tokens: number }
  /** It goes to the error file. */
  | { kind: 'failed'; text: string; tokens: number }
  /** Its rows are not done. */
  | { kind: 'undone'; customId: string; line: number };

/** Where the lines come from. */
export interface OutputSource {
  batch: string;
  inputPath: string;
  rules: LineRules;
  /** Of `readFinished`; empty when there was never a run. */
  rows: AsyncIterable<FinishedRows>;
}

/** One entry per line of the input, in its order. */
export async function* outputLines({
  batch,
  inputPath,
  rules,
  rows,
}: OutputSource): AsyncGenerator<OutputLine> {
  const cursor = new RowCursor(rows);
  try {
    for await (const lines of readInputLines(inputPath, rules)) {
      for (const read of lines) {
        // A file with such a line is never embedded.
        if (read.kind === 'fault') continue;
        yield await answerLine(batch, read, cursor);
      }
    }
  } finally {
    await cursor.close();
  }
}

/** The line of the error file for one that was not done when the batch was stopped. */
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
  if (read.refusal !== null) return failed(batch, read, read.refusal, 0);
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
