/** Reads the start of an input, unpacked, and makes its plan. */

import { CorruptError } from '@embedmill/contract';
import { ROW_DEFAULTS } from '../rows/types.ts';
import { unpack } from '../rows/unpack.ts';
import { isTableFormat } from '../tables/open.ts';
import { MAGIC_BYTES, packingOf } from './magic.ts';
import { planReading } from './plan.ts';
import type { PlanChoices, ReadingPlan } from './types.ts';

/** Bytes that a plan is made from. */
const SAMPLE_BYTES = 256 * 1024;

/** Bytes up to which the sample of `planSample` grows when a packed input expands. */
const MAX_SAMPLE_BYTES = 4 * 1024 * 1024;

/** Bytes that are unpacked at once. */
const CHUNK_BYTES = 16 * 1024;

/** An input with its plan. */
export interface PlannedInput {
  plan: ReadingPlan;
  /** All bytes, unpacked. Can be read once. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes the source if the bytes are not read. */
  close(): Promise<void>;
}

/**
 * Makes the plan of an input from its first 256 KiB, or from as many as its first record has.
 * @param source the bytes as stored, possibly packed; closed with the returned bytes
 * @throws {CorruptError} if the input is packed and damaged
 */
export async function planInput(
  name: string,
  source: AsyncIterable<Uint8Array>,
  choices: PlanChoices,
  { maxRowBytes = ROW_DEFAULTS.maxRowBytes }: { maxRowBytes?: number } = {},
): Promise<PlannedInput> {
  const stored = new Peek(source);
  const packing = packingOf(await stored.first(MAGIC_BYTES));
  const unpacked = new Peek(unpack(stored.all(), packing));
  for (let wanted = SAMPLE_BYTES; ; wanted *= 4) {
    const bytes = await unpacked.first(wanted);
    const complete = unpacked.isWhole(bytes.length);
    const plan = planReading({ name, packing, bytes, complete }, choices, { maxRowBytes });
    // A record of the maximum size takes twice as many bytes in UTF-16.
    const isShort = plan.records === 0 && !complete && !isTableFormat(plan.format);
    if (isShort && wanted < 2 * maxRowBytes + SAMPLE_BYTES) continue;
    return { plan, bytes: unpacked.all(), close: () => unpacked.close() };
  }
}

/**
 * Makes the plan of an input of which only the first bytes are known.
 * @param stored these bytes, possibly packed; `complete` if there are no others
 * @throws {CorruptError} if the input is complete, packed and damaged
 */
export async function planSample(
  name: string,
  stored: { bytes: Uint8Array; complete: boolean },
  choices: PlanChoices,
  { maxRowBytes = ROW_DEFAULTS.maxRowBytes }: { maxRowBytes?: number } = {},
): Promise<ReadingPlan> {
  const packing = packingOf(stored.bytes);
  const unpacked = unpack(chunksOf(stored.bytes), packing);
  const parts = new Peek(stored.complete ? unpacked : untilCut(unpacked));
  for (let wanted = SAMPLE_BYTES; ; wanted *= 4) {
    const bytes = await parts.first(wanted);
    const isAll = parts.isWhole(bytes.length);
    const plan = planReading({ name, packing, bytes, complete: stored.complete && isAll }, choices, {
      maxRowBytes,
    });
    if (plan.records === 0 && !isAll && wanted < MAX_SAMPLE_BYTES) continue;
    await parts.close();
    return plan;
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** What can be unpacked of a packed input whose end is missing. */
async function* untilCut(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
  }
}

/** Reads ahead in a source without losing what was read. */
class Peek {
  readonly #rest: AsyncIterator<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#rest = source[Symbol.asyncIterator]();
  }

  /** Whether the input has only this many bytes. */
  isWhole(count: number): boolean {
    return this.#isEnded && count === this.#bytes;
  }

  /** The first `count` bytes, or all if there are fewer. */
  async first(count: number): Promise<Buffer> {
    // One byte more shows whether the input ends there.
    while (this.#bytes <= count && !this.#isEnded) {
      const next = await this.#rest.next();
      if (next.done) this.#isEnded = true;
      else {
        this.#chunks.push(next.value);
        this.#bytes += next.value.length;
      }
    }
    return Buffer.concat(this.#chunks).subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#rest.return?.();
  }

  /** All bytes from the start; closes the source when the reader stops. */
  async *all(): AsyncGenerator<Uint8Array> {
    try {
      for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) yield chunk;
      if (this.#isEnded) return;
      for (let next = await this.#rest.next(); !next.done; next = await this.#rest.next()) yield next.value;
    } finally {
      await this.close();
    }
  }
}
