/** Sends any number of rows as parts of a run, as fast as the producer accepts them. */

import {
  DEFAULT_PART_ROWS,
  type PartReceipt,
  type RejectedRow,
  UPLOADS_AT_A_TIME,
} from '@embedmill/contract';
import type { CallOptions } from './http.ts';
import { withRetry } from './retry.ts';
import type { KeptColumns, RowInput } from './types.ts';

/** Options of {@link sendRows}. */
export interface SendRowsOptions extends CallOptions {
  /** Number of the first part. Rows are ordered by part, then by position within it. Default 0. */
  firstPart?: number;
  /** Maximum rows per part. Default 2,016: whole batches of 252, 504, 1,008 or 2,016 rows. */
  maxRows?: number;
  /**
   * Bytes per part before compression; the row that reaches this size is the last of its part. Default 4 MB.
   */
  maxBytes?: number;
  /** Maximum parts that are sent at a time; each takes up to `maxBytes` of memory. Default 4. */
  uploads?: number;
  /** Compresses the parts; worth it if the network is slower than one core. Default false. */
  gzip?: boolean;
  /** Columns whose values the run keeps with the rows. Default: none. */
  columns?: KeptColumns;
  /** Receives the number of rows sent so far after each part. */
  onSent?: (rows: number) => void;
  /** Receives the reason when a part has to wait, and `null` when it is accepted. */
  onWait?: (reason: string | null) => void;
  /** Maximum time to retry one part, in milliseconds. Default 10 minutes. */
  patienceMs?: number;
}

/** The result of {@link sendRows}. */
export interface SentRows {
  parts: number;
  accepted: number;
  rejectedCount: number;
  /** The rejected rows listed in the receipts, with their part; `rejectedCount` counts all. */
  rejected: (RejectedRow & { part: number })[];
}

/** Sends one part and returns its receipt; the client's `sendPart`. */
export type SendPart = (part: number, body: Uint8Array, options: { gzip: boolean }) => Promise<PartReceipt>;

const DEFAULTS = {
  firstPart: 0,
  uploads: UPLOADS_AT_A_TIME,
  maxRows: DEFAULT_PART_ROWS,
  maxBytes: 4_000_000,
  gzip: false,
  patienceMs: 600_000,
};

/**
 * Reads from `rows` only what fits the part being filled. The same rows with the same options make the same
 * parts, so a repeated call after a crash does not duplicate rows. Retries parts that fail temporarily for
 * `patienceMs`.
 */
export async function sendRows(
  sendPart: SendPart,
  rows: Iterable<RowInput> | AsyncIterable<RowInput>,
  options: SendRowsOptions = {},
): Promise<SentRows> {
  const resolved = { ...DEFAULTS, ...options };
  const { signal, onWait, onSent, gzip, patienceMs, uploads } = resolved;
  const sent: SentRows = { parts: 0, accepted: 0, rejectedCount: 0, rejected: [] };
  const inFlight = new Set<Promise<void>>();
  let number = resolved.firstPart;
  for await (const body of cutRows(rows, resolved)) {
    const part = number++;
    if (inFlight.size >= uploads) await Promise.race(inFlight);
    const sending = withRetry(() => sendPart(part, body, { gzip }), { signal, onWait, patienceMs })
      .then(({ accepted, rejected, rejectedCount }) => {
        sent.parts += 1;
        sent.accepted += accepted;
        sent.rejectedCount += rejectedCount;
        sent.rejected.push(...rejected.map((row) => ({ ...row, part })));
        onSent?.(sent.accepted + sent.rejectedCount);
      })
      .finally(() => inFlight.delete(sending));
    // A failure is thrown by the race or at the end; until then it must not count as an unhandled rejection.
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

/** Compresses bytes with gzip. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  const compressed = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}
