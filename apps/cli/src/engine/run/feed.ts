/** Sends the parts of an input to a run, those that it does not have yet; `embed` and `up --sample` call it. */

import { type EmbedmillClient, type KnownPart, type RetryOptions, withRetry } from '@embedmill/client';
import { EmbedmillError, quote } from '@embedmill/contract';
import { digestOf, type Part } from './cut-parts.ts';

/** What feeding needs. */
export interface FeedDeps {
  client: EmbedmillClient;
  patience: RetryOptions;
  run: string;
  /** True when the run takes rows; a sealed one must know every part. */
  isOpen: boolean;
  known: readonly KnownPart[];
  /** Told the rows of every part that was read. */
  onRead: (rows: number) => void;
}

/** One part is on its way while the next one is prepared; more would only take memory. */
const MAX_IN_FLIGHT = 2;

/**
 * Sends what is missing and resolves with the number of rows when the producer has all.
 * @throws {EmbedmillError} `input-changed` when a part the run has is another one now; `rows-refused` when the producer
 * leaves out rows, which would shift the others
 */
export async function feed(parts: AsyncIterable<Part>, context: FeedDeps): Promise<number> {
  const known = new Map(context.known.map((receipt) => [receipt.part, receipt]));
  const inFlight = new Set<Promise<void>>();
  let rows = 0;
  for await (const part of parts) {
    rows += part.rows;
    context.onRead(part.rows);
    const receipt = known.get(part.number);
    known.delete(part.number);
    if (receipt !== undefined || !context.isOpen) {
      if (receipt?.sha256 !== digestOf(part)) throw inputChanged(context.run, `part ${part.number} differs`);
      continue;
    }
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    const sending = send(part, context).finally(() => inFlight.delete(sending));
    // A failure is thrown by the race or by the end; until then nobody may call it unhandled.
    sending.catch(() => {});
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
  if (known.size > 0) throw inputChanged(context.run, `it ends before part ${[...known.keys()][0]}`);
  return rows;
}

async function send(part: Part, { client, patience, run }: FeedDeps): Promise<void> {
  const receipt = await withRetry(() => client.sendPart(run, part.number, part.body), patience);
  const [first] = receipt.rejected;
  if (first === undefined) return;
  throw new EmbedmillError(
    'rows-refused',
    `the producer refused ${receipt.rejectedCount} rows, so that the others would move up; the first is line ` +
      `${first.line}: ${first.message}. Its limits may be lower than here (EMBEDMILL_MAX_ROW_BYTES).`,
  );
}

function inputChanged(run: string, how: string): EmbedmillError {
  return new EmbedmillError(
    'input-changed',
    `the input is not the one that run ${quote(run)} was begun with: ${how}. ` +
      'Give the same input again to continue, or add --overwrite to start anew.',
  );
}
