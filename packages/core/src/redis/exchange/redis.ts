/** The exchange on Redis; the only file that reads or writes the keys of runs and batches. */

import { randomUUID } from 'node:crypto';
import { type BatchSummary, quote, ROW_VERDICTS } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { modelOf } from '../batch/fingerprint.ts';
import { isWorkerAlive } from '../fleet/liveness.ts';
import type { Keys } from '../keys.ts';
import { BEGIN_PROBE, COMMIT, TAKE } from './scripts.ts';
import type {
  BatchPresence,
  CommitOutcome,
  ProbeHistory,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  WorkerExchange,
} from './types.ts';
import { type ValueSource, valuesOf } from './value-source.ts';

/**
 * Expires keys within a day after their producer has stopped. A live producer renews those of its runs in every audit; one that
 * comes back later sends the batches again from its disk.
 */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** Maximum bytes of results per command: half a second at 2 MB/s. */
const FETCH_BYTES = 1024 * 1024;

/**
 * Maximum bytes of payloads or of a result per command: a slice that is on its way gives no sign of life, so it must arrive
 * within the silence that a connection allows, also at 100 KB/s.
 */
const SEND_BYTES = 256 * 1024;

/** Expires a staged value whose writer died. */
const STAGED_SECONDS = 60 * 60;

/** Maximum batch number: the offset of a bit in Redis (https://redis.io/docs/latest/commands/setbit/). */
const MAX_BATCH = 2 ** 32 - 1;

/** Entries of the ready stream per read: about 200 KB. */
const ENTRIES_PER_READ = 1000;

/** Keys per UNLINK, so that no single command blocks Redis for long. */
const UNLINK_KEYS = 500;

/** Redis with our scripts as commands. */
type ScriptedRedis = Redis & {
  embedmillTakeBuffer(...keysAndArguments: (string | number)[]): Promise<Buffer | [Buffer]>;
  embedmillCommit(...keysAndArguments: (string | number | Buffer)[]): Promise<CommitOutcome>;
  embedmillBeginProbe(key: string, lifetimeSeconds: number, ...workers: string[]): Promise<string[]>;
};

/** What the exchange works with. */
export interface RedisExchangeDeps {
  /** Connection for all commands except the blocking read. */
  redis: Redis;
  /** Separate connection for payloads, so that they delay no other command; default: `redis`. */
  uploads?: Redis;
  /** Separate connection for `readReady`, which blocks it; only the producer needs one. */
  blocking?: Redis;
  /** Reads the results; default: `redis`. */
  values?: ValueSource | undefined;
  keys: Keys;
  /** Called for each entry of the ready stream that was removed because it cannot be read. */
  onUnreadable?: (entry: string, content: string) => void;
}

/** @see WorkerExchange @see ProducerExchange */
export class RedisExchange implements WorkerExchange, ProducerExchange {
  readonly #redis: ScriptedRedis;
  readonly #uploads: Redis;
  readonly #blocking: Redis;
  readonly #values: ValueSource;
  /** Payloads are sent slice by slice, so that no call waits behind all bytes of another one. */
  readonly #uploadTurn = pLimit(1);
  readonly #keys: Keys;
  readonly #onUnreadable: (entry: string, content: string) => void;

  constructor({ redis, uploads, blocking, values, keys, onUnreadable = () => {} }: RedisExchangeDeps) {
    redis.defineCommand('embedmillTake', { lua: TAKE, numberOfKeys: 4 });
    redis.defineCommand('embedmillCommit', { lua: COMMIT, numberOfKeys: 7 });
    redis.defineCommand('embedmillBeginProbe', { lua: BEGIN_PROBE, numberOfKeys: 1 });
    this.#redis = redis as ScriptedRedis;
    this.#uploads = uploads ?? redis;
    this.#blocking = blocking ?? redis;
    this.#values = values ?? valuesOf(redis);
    this.#keys = keys;
    this.#onUnreadable = onUnreadable;
  }

  async openRun(run: string, computedWith?: string): Promise<void> {
    const keys = this.#keys;
    const pipeline = this.#redis.pipeline();
    if (computedWith !== undefined) pipeline.hset(keys.run(run), 'computedWith', computedWith);
    const reply = await pipeline
      .hsetnx(keys.run(run), 'openedAt', Date.now())
      .expire(keys.run(run), LIFETIME_SECONDS)
      .expire(keys.done(run), LIFETIME_SECONDS)
      .exec();
    throwFirst(reply);
  }

  async putPayloads(run: string, batches: readonly { batch: number; payload: Uint8Array }[]): Promise<void> {
    const done = this.#keys.done(run);
    for (let start = 0; start < batches.length; ) {
      const slice = prefixWithin(batches.slice(start), SEND_BYTES, ({ payload }) => payload.byteLength);
      start += slice.length;
      const [{ batch, payload }] = slice as [(typeof slice)[0]];
      if (payload.byteLength > SEND_BYTES) {
        const staged = await this.#stage(this.#uploads, payload, this.#uploadTurn);
        const key = this.#keys.payload(run, batch);
        const reply = await this.#uploads
          .multi()
          .setbit(done, batch, 0)
          .rename(staged, key)
          .expire(key, LIFETIME_SECONDS)
          .expire(done, LIFETIME_SECONDS)
          .exec();
        throwFirst(reply);
        continue;
      }
      await this.#uploadTurn(async () => {
        const pipeline = this.#uploads.pipeline();
        for (const { batch, payload } of slice) {
          // A batch of other rows may have been done under this number, if the data folder was replaced by an
          // older copy.
          pipeline.setbit(done, batch, 0);
          pipeline.set(this.#keys.payload(run, batch), bufferOf(payload), 'EX', LIFETIME_SECONDS);
        }
        pipeline.expire(done, LIFETIME_SECONDS);
        throwFirst(await pipeline.exec());
      });
    }
  }

  async takePayload(run: string, batch: number, dataDirId: string, computedWith = ''): Promise<TakenPayload> {
    const keys = this.#keys;
    const reply = await this.#redis.embedmillTakeBuffer(
      keys.run(run),
      keys.done(run),
      keys.payload(run, batch),
      keys.ready(dataDirId),
      batch,
      run,
      LIFETIME_SECONDS,
      computedWith,
    );
    if (Array.isArray(reply)) {
      const [status, pinned] = reply.map(String) as [Exclude<TakenPayload['status'], 'taken'>, string];
      return status === 'other-model' ? { status, fingerprint: modelOf(pinned) } : { status };
    }
    // Copied, because the reply is a slice of ioredis's read buffer, which must not be transferred to a
    // thread.
    const payload = new Uint8Array(new ArrayBuffer(reply.byteLength));
    payload.set(reply);
    return { status: 'taken', payload };
  }

  async renewGlossary(id: string): Promise<boolean> {
    return (await this.#redis.expire(this.#keys.glossary(id), LIFETIME_SECONDS)) === 1;
  }

  async putGlossary(id: string, content: Uint8Array): Promise<void> {
    await this.#redis.set(this.#keys.glossary(id), bufferOf(content), 'EX', LIFETIME_SECONDS);
  }

  readGlossary(id: string): Promise<Uint8Array | null> {
    return this.#redis.getBuffer(this.#keys.glossary(id));
  }

  async dropPayload(run: string, batch: number): Promise<void> {
    await this.#redis.unlink(this.#keys.payload(run, batch));
  }

  async commit(
    run: string,
    batch: number,
    dataDirId: string,
    result: Uint8Array,
    summary: BatchSummary,
  ): Promise<CommitOutcome> {
    const keys = this.#keys;
    const isLarge = result.byteLength > SEND_BYTES;
    const staged = isLarge ? await this.#stage(this.#redis, result) : keys.staged('');
    return await this.#redis.embedmillCommit(
      keys.run(run),
      keys.done(run),
      keys.result(run, batch),
      keys.payload(run, batch),
      keys.ready(dataDirId),
      keys.probe(run, batch),
      staged,
      batch,
      isLarge ? '' : bufferOf(result),
      LIFETIME_SECONDS,
      run,
      JSON.stringify(summary),
    );
  }

  async beginProbe(run: string, batch: number, worker: string): Promise<ProbeHistory> {
    const key = this.#keys.probe(run, batch);
    const marks = (await this.#redis.hkeys(key)).filter((field) => field.startsWith('at:'));
    const dead: string[] = [];
    for (const mark of marks) {
      const other = mark.slice('at:'.length);
      if (other !== worker && !(await isWorkerAlive(this.#redis, this.#keys, other))) dead.push(other);
    }
    const fields = await this.#redis.embedmillBeginProbe(key, LIFETIME_SECONDS, worker, ...dead);
    const deaths = new Map<number, number>();
    let unexplained = 0;
    for (let i = 0; i < fields.length; i += 2) {
      const [field = '', value] = [fields[i], Number(fields[i + 1])];
      if (field === 'unexplained') unexplained = value;
      else if (field.startsWith('deaths:')) deaths.set(Number(field.slice('deaths:'.length)), value);
    }
    return { unexplained, deaths };
  }

  async markProbedRow(run: string, batch: number, worker: string, row: number): Promise<void> {
    const key = this.#keys.probe(run, batch);
    // Another worker may have committed the batch, which deletes the key: this creates it again.
    throwFirst(await this.#redis.multi().hset(key, `at:${worker}`, row).expire(key, LIFETIME_SECONDS).exec());
  }

  async endProbe(run: string, batch: number, worker: string): Promise<void> {
    await this.#redis.hdel(this.#keys.probe(run, batch), `at:${worker}`);
  }

  async readReady(
    dataDirId: string,
    after: string,
    maxEntries: number,
    blockMs: number,
  ): Promise<ReadyBatch[]> {
    const key = this.#keys.ready(dataDirId);
    const reply =
      blockMs === 0
        ? await this.#redis.xread('COUNT', maxEntries, 'STREAMS', key, after)
        : await this.#blocking.xread('COUNT', maxEntries, 'BLOCK', blockMs, 'STREAMS', key, after);
    const entries = reply?.[0]?.[1] ?? [];
    const readable = entries.flatMap(([entry, fields]) => readyBatchOf(entry, fields) ?? []);
    if (readable.length < entries.length) {
      const known = new Set(readable.map(({ entry }) => entry));
      const unreadable = entries.filter(([entry]) => !known.has(entry));
      // The next audit announces their batches again, if they are batches of this producer.
      await this.deleteEntries(
        dataDirId,
        unreadable.map(([entry]) => entry),
      );
      for (const [entry, fields] of unreadable) this.#onUnreadable(entry, quote(fields.join(' '), 100));
    }
    return readable;
  }

  async fetchResults(
    run: string,
    batches: readonly number[],
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<(Uint8Array | null)[]> {
    const keys = batches.map((batch) => this.#keys.result(run, batch));
    const pipeline = this.#redis.pipeline();
    for (const key of keys) pipeline.strlen(key);
    const sizes = throwFirst(await pipeline.exec()) as number[];
    const sized = keys.map((key, i) => ({ key, bytes: sizes[i]! }));
    const wanted = prefixWithin(sized, maxBytes, ({ bytes }) => bytes);
    const results: (Uint8Array | null)[] = [];
    while (results.length < wanted.length) {
      const slice = prefixWithin(wanted.slice(results.length), FETCH_BYTES, ({ bytes }) => bytes);
      const [{ key, bytes }] = slice as [(typeof slice)[0]];
      if (bytes > FETCH_BYTES) results.push(await this.#fetchLarge(key, bytes));
      else results.push(...(await this.#values.readAll(slice.map(({ key }) => key))));
    }
    return results;
  }

  async #fetchLarge(key: string, bytes: number): Promise<Uint8Array> {
    const value = Buffer.allocUnsafeSlow(bytes);
    for (let start = 0; start < bytes; ) {
      const read = await this.#values.readInto(value.subarray(start, start + FETCH_BYTES), key, start);
      // It was deleted or replaced: whoever checks the value finds that it is too short.
      if (read === 0) return value.subarray(0, start);
      start += read;
    }
    return value;
  }

  /**
   * Writes a large value in slices under a key of its own. SETRANGE can be repeated, so a slice that a broken connection sends twice
   * does no harm.
   * @returns the key
   */
  async #stage(
    redis: Redis,
    bytes: Uint8Array,
    turn: (step: () => Promise<void>) => Promise<void> = (step) => step(),
  ): Promise<string> {
    const key = this.#keys.staged(randomUUID());
    for (let start = 0; start < bytes.byteLength; start += SEND_BYTES) {
      const slice = bufferOf(bytes.subarray(start, start + SEND_BYTES));
      await turn(async () => {
        throwFirst(await redis.pipeline().setrange(key, start, slice).expire(key, STAGED_SECONDS).exec());
      });
    }
    return key;
  }

  async acknowledge(
    dataDirId: string,
    batches: readonly Pick<ReadyBatch, 'entry' | 'run' | 'batch'>[],
  ): Promise<void> {
    if (batches.length === 0) return;
    // Results first: an entry without its result is read again and found to be stored; a result without its
    // entry would never be deleted. A payload is there if it was sent again, because a reply was lost, after the worker
    // committed the batch and before it finished the job: BullMQ ignores a job that exists.
    await this.#unlink(
      batches.flatMap(({ run, batch }) => [
        this.#keys.result(run, batch),
        this.#keys.payload(run, batch),
        this.#keys.probe(run, batch),
      ]),
    );
    await this.deleteEntries(
      dataDirId,
      batches.map(({ entry }) => entry),
    );
  }

  async deleteEntries(dataDirId: string, entries: readonly string[]): Promise<void> {
    if (entries.length > 0) await this.#redis.xdel(this.#keys.ready(dataDirId), ...entries);
  }

  async reopenBatch(run: string, batch: number): Promise<void> {
    const reply = await this.#redis
      .multi()
      .setbit(this.#keys.done(run), batch, 0)
      .expire(this.#keys.done(run), LIFETIME_SECONDS)
      .unlink(this.#keys.result(run, batch))
      .exec();
    throwFirst(reply);
  }

  async presence(run: string, batches: readonly number[]): Promise<BatchPresence[]> {
    const pipeline = this.#redis.pipeline();
    for (const batch of batches) {
      // The payload first: a batch that is committed between the two has its result by then.
      pipeline
        .expire(this.#keys.payload(run, batch), LIFETIME_SECONDS)
        .expire(this.#keys.result(run, batch), LIFETIME_SECONDS);
    }
    const replies = throwFirst(await pipeline.exec());
    return batches.map((_, i) =>
      replies[2 * i + 1] === 1 ? 'ready' : replies[2 * i] === 1 ? 'waiting' : 'absent',
    );
  }

  async findUnannounced(
    dataDirId: string,
    batches: readonly { run: string; batch: number }[],
  ): Promise<{ run: string; batch: number }[]> {
    const key = this.#keys.ready(dataDirId);
    await this.#redis.expire(key, LIFETIME_SECONDS);
    if (batches.length === 0) return [];
    const announced = new Set<string>();
    for (let after = '-'; ; ) {
      const entries = await this.#redis.xrange(key, after, '+', 'COUNT', ENTRIES_PER_READ);
      for (const [, [, run, , batch]] of entries) announced.add(`${run} ${batch}`);
      if (entries.length < ENTRIES_PER_READ) break;
      after = `(${entries.at(-1)![0]}`;
    }
    return batches.filter(({ run, batch }) => !announced.has(`${run} ${batch}`));
  }

  async announce(dataDirId: string, batches: readonly { run: string; batch: number }[]): Promise<void> {
    const key = this.#keys.ready(dataDirId);
    const pipeline = this.#redis.pipeline();
    for (const { run, batch } of batches) {
      pipeline.xadd(key, '*', 'run', run, 'batch', batch, 'summary', 'null');
    }
    throwFirst(await pipeline.expire(key, LIFETIME_SECONDS).exec());
  }

  async closeRun(run: string, batches: readonly number[]): Promise<void> {
    // The hash first: from then on a late commit returns `gone` and writes nothing.
    await this.#redis.unlink(this.#keys.run(run), this.#keys.done(run));
    await this.#unlink(
      batches.flatMap((batch) => [
        this.#keys.payload(run, batch),
        this.#keys.result(run, batch),
        this.#keys.probe(run, batch),
      ]),
    );
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += UNLINK_KEYS) {
      await this.#redis.unlink(...keys.slice(start, start + UNLINK_KEYS));
    }
  }
}

/** The first elements with at most `maxBytes` in total, and at least one, if there are any. */
function prefixWithin<Element>(
  elements: readonly Element[],
  maxBytes: number,
  bytesOf: (element: Element) => number,
): Element[] {
  let bytes = 0;
  const end = elements.findIndex((element, i) => {
    bytes += bytesOf(element);
    return i > 0 && bytes > maxBytes;
  });
  return elements.slice(0, end < 0 ? elements.length : end);
}

/** The same bytes as a Buffer, without a copy. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The values of a pipeline; rejects with its first error. */
function throwFirst(replies: [error: Error | null, value: unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}

/** An entry of the ready stream; `null` if no worker of Embedmill wrote it. */
function readyBatchOf(entry: string, fields: readonly string[]): ReadyBatch | null {
  const [runField, run = '', batchField, digits = '', summaryField, json = ''] = fields;
  const batch = Number(digits);
  if (runField !== 'run' || batchField !== 'batch' || summaryField !== 'summary') return null;
  if (run === '' || !/^\d+$/.test(digits) || batch > MAX_BATCH) return null;
  try {
    const summary: unknown = JSON.parse(json);
    return summary === null || isSummary(summary) ? { entry, run, batch, summary } : null;
  } catch {
    return null;
  }
}

function isSummary(value: unknown): value is BatchSummary {
  const { rows, verdicts, tokens, lostTokens } = (value ?? {}) as Partial<
    Record<keyof BatchSummary, unknown>
  >;
  const counts = (verdicts ?? {}) as Record<string, unknown>;
  return (
    [rows, tokens, lostTokens].every(Number.isFinite) &&
    ROW_VERDICTS.every((verdict) => Number.isFinite(counts[verdict]))
  );
}
