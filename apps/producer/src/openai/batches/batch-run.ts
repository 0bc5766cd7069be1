/** The run that embeds the texts of a batch of the OpenAI API. */

import { createHash } from 'node:crypto';
import type { RowRead } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { Run, Runs } from '@embedmill/core/runs';
import { defaultRunOptions } from '../../compatible/run-options.ts';
import { type InputLine, type InputOptions, readInputLines } from './input-lines.ts';

/**
 * Creates the run of a batch, or finds one that was created just before the process died: it is named after
 * the batch.
 */
export async function createRunOfBatch(
  batchId: string,
  { runs, config }: { runs: Runs; config: Config },
): Promise<Run> {
  return (
    runs.active().find(({ options }) => options.name === batchId) ??
    (await runs.create({ options: defaultRunOptions(batchId, 'none', config) }))
  );
}

/**
 * Adds all texts of the input file to the run as one part and seals it. Batches that the run already has are
 * skipped.
 * @param signal ends it with the reason of the signal
 * @throws {RequestError} `part-conflict` if the rows differ from those that an earlier process added
 */
export async function feedRun(
  run: Run,
  inputPath: string,
  options: InputOptions,
  signal: AbortSignal,
): Promise<void> {
  const sha256 = createHash('sha256');
  const lines = readInputLines(inputPath, options, (chunk) => sha256.update(chunk));
  await run.addPart({ part: 0, rows: rowsOf(lines, signal), sha256: () => sha256.digest('hex'), signal });
  await run.seal();
}

/**
 * The texts of all lines as rows. A line with several texts gives the ids `<custom_id>:0`, `<custom_id>:1`, …
 */
async function* rowsOf(input: AsyncIterable<InputLine[]>, signal: AbortSignal): AsyncGenerator<RowRead[]> {
  for await (const lines of input) {
    signal.throwIfAborted();
    yield lines.flatMap((read): RowRead[] => {
      if (read.kind === 'fault') return [];
      const { line, customId, texts } = read;
      return texts.map((text, i) => ({
        ok: true,
        line,
        id: texts.length === 1 ? customId : `${customId}:${i}`,
        text,
      }));
    });
  }
}
