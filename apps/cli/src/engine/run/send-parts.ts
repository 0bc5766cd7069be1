/** Sends the parts of an input that a run does not have yet. */

import { type KnownPart, type RetryOptions, withRetry } from '@embedmill/client';
import { EmbedmillError, quote } from '@embedmill/contract';
import { digestOf, type Part } from './encode-parts.ts';
import type { RunClient } from './run-client.ts';

/** Dependencies of {@link sendParts}. */
export interface SendDeps {
  client: Pick<RunClient, 'sendPart' | 'uploads'>;
  retry: RetryOptions;
  /** Id of the run. */
  run: string;
  /** True if the run accepts rows; a sealed run must already have every part. */
  isOpen: boolean;
  /** Receipts of the parts that the run has. */
  known: readonly KnownPart[];
  /** Receives the number of rows of each part read. */
  onRead: (rows: number) => void;
}

/**
 * Sends the missing parts. Resolves with the total number of rows when the producer has all of them.
 * @throws {EmbedmillError} `input-changed` when a part differs from its receipt; `rows-refused` when the
 * producer rejects rows, which would shift later rows
 */
export async function sendParts(parts: AsyncIterable<Part>, deps: SendDeps): Promise<number> {
  const known = new Map(deps.known.map((receipt) => [receipt.part, receipt]));
  const inFlight = new Set<Promise<void>>();
  let rows = 0;
  for await (const part of parts) {
    rows += part.rows;
    deps.onRead(part.rows);
    const receipt = known.get(part.number);
    known.delete(part.number);
    if (receipt !== undefined || !deps.isOpen) {
      if (receipt?.sha256 !== digestOf(part)) throw inputChanged(deps.run, `part ${part.number} differs`);
      continue;
    }
    if (inFlight.size >= deps.client.uploads) await Promise.race(inFlight);
    const sending = sendPart(part, deps).finally(() => inFlight.delete(sending));
    // The race or the final wait throws the failure; this keeps Node from reporting it as unhandled before.
    sending.catch(() => {});
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
  if (known.size > 0) throw inputChanged(deps.run, `it ends before part ${[...known.keys()][0]}`);
  return rows;
}

async function sendPart(part: Part, { client, retry, run }: SendDeps): Promise<void> {
  const { signal } = retry;
  const receipt = await withRetry(() => client.sendPart(run, part.number, part.body, { signal }), retry);
  const [first] = receipt.rejected;
  if (first === undefined) return;
  throw new EmbedmillError(
    'rows-refused',
    `the producer rejected ${receipt.rejectedCount} rows, which would shift all later rows; the first is line ` +
      `${first.line}: ${first.message}. Its limits may be lower than here (EMBEDMILL_MAX_ROW_BYTES).`,
  );
}

function inputChanged(run: string, how: string): EmbedmillError {
  return new EmbedmillError(
    'input-changed',
    `the input differs from that of run ${quote(run)}: ${how}. ` +
      'Give the same input to resume, or add --overwrite to start over.',
  );
}
