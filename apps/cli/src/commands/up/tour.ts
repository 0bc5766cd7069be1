/** `embedmill up --sample`: embeds the sample reviews through the API and searches them. */

import type { EmbedmillClient } from '@embedmill/client';
import { searchRows } from '@embedmill/core/formats';
import type { CommandContext } from '../../shell/context.ts';
import type { ProgressDisplay } from '../../shell/progress/index.ts';
import { cutLine } from '../../shell/terminal/lines.ts';
import { formatCount, formatDuration, formatRate } from '../../shell/terminal/numbers.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { embedSample } from './embed-sample.ts';
import { readSampleReviews, SAMPLE_QUESTIONS } from './sample/index.ts';

/** Dependencies of {@link showSample}. */
export interface TourDeps {
  client: EmbedmillClient;
  display: ProgressDisplay;
  signal: AbortSignal;
  context: CommandContext;
}

const RUN_NAME = 'sample reviews';
const QUESTION_NAME = 'sample question';
const NEIGHBOURS = 3;

/**
 * Prints the throughput and the reviews nearest to a question on stdout.
 * @returns the id of the run with the reviews
 */
export async function showSample({ client, display, signal, context }: TourDeps): Promise<string> {
  await deleteSampleRuns(client);
  const reviews = readSampleReviews();
  const question = SAMPLE_QUESTIONS[0]!.text;
  display.note(`\nEmbedding ${formatCount(reviews.length)} sample reviews …`);
  const startedAt = performance.now();
  const { run, dim, vectors } = await embedSample({
    client,
    display,
    signal,
    name: RUN_NAME,
    texts: reviews,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  // Embedded as a bulk row, because the same text gives the same vector everywhere.
  const asked = await embedSample({
    client,
    display,
    signal,
    name: QUESTION_NAME,
    texts: [{ id: 'q', text: question }],
  });
  await client.delete(asked.run.id);

  const paint = paintFor(context.stdout, context.environment);
  const speed = `${formatRate(run.rows.done / seconds)} rows/s, ${formatRate(run.tokens / seconds)} tokens/s`;
  const rows = {
    ids: reviews.map(({ id }) => id),
    dim,
    vectors,
    present: new Uint8Array(reviews.length).fill(1),
  };
  const nearest = await searchRows([rows], asked.vectors, NEIGHBOURS);
  const lines = [
    `${paint('good', '✓')} ${formatCount(run.rows.done)} vectors of ${dim} in ${formatDuration(seconds)}: ${paint('strong', speed)}`,
    '',
    `Nearest to ${paint('strong', JSON.stringify(question))}:`,
    ...nearest.map(({ row, score }) => {
      const text = cutLine(reviews[row]?.text ?? '', (context.stdout.columns ?? 100) - 10);
      return `  ${paint('bar', score.toFixed(3))}  ${text}`;
    }),
    '',
  ];
  context.stdout.write(`${lines.join('\n')}\n`);
  return run.id;
}

/** Deletes the runs of earlier samples, which would accumulate in the data folder. */
async function deleteSampleRuns(client: EmbedmillClient): Promise<void> {
  for (const { id, options } of await client.listRuns()) {
    if (options.name === RUN_NAME || options.name === QUESTION_NAME) await client.delete(id);
  }
}
