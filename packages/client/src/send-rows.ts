/** Sends rows of any number as parts of a run, as fast as the producer takes them. */

import { DEFAULT_PART_ROWS, type PartReceipt, type RejectedRow } from '@embedmill/contract';
import type { CallOptions } from './http.ts';
import { withRetry } from './retry.ts';
import type { RowInput } from './types.ts';

/** How to send. */
export interface SendRowsOptions extends CallOptions {
  /** Number of the first part. Rows are ordered by part, then as they came. Default 0. */
  firstPart?: number;
  /** Rows of a part. Default 2 016: eight batches of the default 252. */
  maxRows?: number;
  /** Bytes of a part before packing; a part ends with the row that reaches it. Default 4 MB. */
  maxBytes?: number;
  /** Packs the parts; worth it when the network is slower than a core. Default false. */
  gzip?: boolean;
  /** Told after each part how many rows are at the producer. */
  onSent?: (rows: number) => void;
  /** Told why a part has to wait, and `null` when it went through. */
  onWait?: (reason: string | null) => void;
  /** How long the producer may be away at a time. Default 10 minutes. */
  patienceMs?: number;
}

/** What became of the rows. */
export interface SentRows {
  parts: number;
  accepted: number;
  rejectedCount: number;
  /** Those that the receipts list, with their part. */
  rejected: (RejectedRow & { part: number })[];
}

/** Sends one part; the client's `sendPart`. */
export type SendPart = (part: number, body: Uint8Array, options: { gzip: boolean }) => Promise<PartReceipt>;

/** One part is on its way while the next one is filled; more would only take memory. */
const MAX_IN_FLIGHT = 2;

const DEFAULTS = {
  firstPart: 0,
  maxRows: DEFAULT_PART_ROWS,
  maxBytes: 4_000_000,
  gzip: false,
  patienceMs: 600_000,
};

/**
 * Takes a row from `rows` only when there is room for it. The same rows with the same options make the same parts, so
 * that calling again after a crash sends nothing twice.
 */
export async function sendRows(
  sendPart: SendPart,
  rows: Iterable<RowInput> | AsyncIterable<RowInput>,
  options: SendRowsOptions = {},
): Promise<SentRows> {
  const filled = { ...DEFAULTS, ...options };
  const { signal, onWait, onSent, gzip, patienceMs } = filled;
  const sent: SentRows = { parts: 0, accepted: 0, rejectedCount: 0, rejected: [] };
  const inFlight = new Set<Promise<void>>();
  let number = filled.firstPart;
  for await (const body of cutRows(rows, filled)) {
    const part = number++;
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    const sending = withRetry(() => sendPart(part, body, { gzip }), { signal, onWait, patienceMs })
      .then(({ accepted, rejected, rejectedCount }) => {
        sent.parts += 1;
        sent.accepted += accepted;
        sent.rejectedCount += rejectedCount;
        sent.rejected.push(...rejected.map((row) => ({ ...row, part })));
        onSent?.(sent.accepted + sent.rejectedCount);
      })
      .finally(() => inFlight.delete(sending));
    // A failure is thrown by the race or by the end; until then nobody may call it unhandled.
    sending.catch(() => {});
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
  sent.rejected.sort((a, b) => a.part - b.part);
  return sent;
}

async function* cutRows(
  rows: Iterable<RowInput> | AsyncIterable<RowInput>,
  { maxRows, maxBytes }: { maxRows: number; maxBytes: number },
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let lines: Uint8Array[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const line = encoder.encode(`${JSON.stringify(row)}\n`);
    lines.push(line);
    bytes += line.byteLength;
    if (lines.length < maxRows && bytes < maxBytes) continue;
    yield join(lines, bytes);
    lines = [];
    bytes = 0;
  }
  if (bytes > 0) yield join(lines, bytes);
}

function join(lines: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.byteLength;
  }
  return joined;
}

/** Packs bytes with gzip. */
export async function pack(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
