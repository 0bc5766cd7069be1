/** The exchange on Redis; the only file that reads or writes the keys of runs and batches. */

import { type BatchSummary, quote, ROW_VERDICTS } from '@embedmill/contract';
import type { Redis } from 'ioredis';
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

const DAY_SECONDS = 24 * 60 * 60;

/** Expires keys that nothing deletes; far longer than a batch waits in a healthy fleet. */
const LIFETIME_SECONDS = 14 * DAY_SECONDS;

/** Maximum batch number: the offset of a bit in Redis (https://redis.io/docs/latest/commands/setbit/). */
const MAX_BATCH = 2 ** 32 - 1;

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
  /** Separate connection for `readReady`, which blocks it; only the producer needs one. */
  blocking?: Redis;
  keys: Keys;
  /** Called for each entry of the ready stream that was removed because it cannot be read. */
  onUnreadable?: (entry: string, content: string) => void;
}

/** @see WorkerExchange @see ProducerExchange */
export class RedisExchange implements WorkerExchange, ProducerExchange {
  readonly #redis: ScriptedRedis;
  readonly #blocking: Redis;
  readonly #keys: Keys;
  readonly #onUnreadable: (entry: string, content: string) => void;

  constructor({ redis, blocking, keys, onUnreadable = () => {} }: RedisExchangeDeps) {
    redis.defineCommand('embedmillTake', { lua: TAKE, numberOfKeys: 4 });
    redis.defineCommand('embedmillCommit', { lua: COMMIT, numberOfKeys: 6 });
    redis.defineCommand('embedmillBeginProbe', { lua: BEGIN_PROBE, numberOfKeys: 1 });
    this.#redis = redis as ScriptedRedis;
    this.#blocking = blocking ?? redis;
    this.#keys = keys;
    this.#onUnreadable = onUnreadable;
  }

  async openRun(run: string): Promise<void> {
    const keys = this.#keys;
    const reply = await this.#redis
      .pipeline()
      .hsetnx(keys.run(run), 'openedAt', Date.now())
      .expire(keys.run(run), LIFETIME_SECONDS)
      .expire(keys.done(run), LIFETIME_SECONDS)
      .exec();
    throwFirst(reply);
  }

  async putPayloads(run: string, batches: readonly { batch: number; payload: Uint8Array }[]): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const { batch, payload } of batches) {
      pipeline.set(this.#keys.payload(run, batch), bufferOf(payload), 'EX', LIFETIME_SECONDS);
    }
    throwFirst(await pipeline.exec());
  }

  async takePayload(run: string, batch: number, dataDirId: string): Promise<TakenPayload> {
    const keys = this.#keys;
    const reply = await this.#redis.embedmillTakeBuffer(
      keys.run(run),
      keys.done(run),
      keys.payload(run, batch),
      keys.ready(dataDirId),
      batch,
      run,
    );
    if (Array.isArray(reply)) return { status: reply[0].toString() as 'duplicate' | 'gone' | 'lost' };
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

  commit(
    run: string,
    batch: number,
    dataDirId: string,
    result: Uint8Array,
    summary: BatchSummary,
  ): Promise<CommitOutcome> {
    const keys = this.#keys;
    return this.#redis.embedmillCommit(
      keys.run(run),
      keys.done(run),
      keys.result(run, batch),
      keys.payload(run, batch),
      keys.ready(dataDirId),
      keys.probe(run, batch),
      batch,
      bufferOf(result),
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
    await this.#redis.hset(this.#keys.probe(run, batch), `at:${worker}`, row);
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
    const reply = await this.#blocking.xread(
      'COUNT',
      maxEntries,
      'BLOCK',
      blockMs,
      'STREAMS',
      this.#keys.ready(dataDirId),
      after,
    );
    const entries = reply?.[0]?.[1] ?? [];
    const readable = entries.flatMap(([entry, fields]) => readyBatchOf(entry, fields) ?? []);
    if (readable.length < entries.length) {
      const known = new Set(readable.map(({ entry }) => entry));
      const unreadable = entries.filter(([entry]) => !known.has(entry));
      // Their batches, if they are batches of ours, are announced again by the next audit.
      await this.deleteEntries(
        dataDirId,
        unreadable.map(([entry]) => entry),
      );
      for (const [entry, fields] of unreadable) this.#onUnreadable(entry, quote(fields.join(' '), 100));
    }
    return readable;
  }

  async fetchResults(run: string, batches: readonly number[]): Promise<(Uint8Array | null)[]> {
    if (batches.length === 0) return [];
    return this.#redis.mgetBuffer(batches.map((batch) => this.#keys.result(run, batch)));
  }

  async acknowledge(
    dataDirId: string,
    batches: readonly Pick<ReadyBatch, 'entry' | 'run' | 'batch'>[],
  ): Promise<void> {
    if (batches.length === 0) return;
    // Results first: an entry without its result is read again and found to be stored; a result without its
    // entry would never be deleted.
    await this.#unlink(batches.map(({ run, batch }) => this.#keys.result(run, batch)));
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
      pipeline.exists(this.#keys.result(run, batch)).exists(this.#keys.payload(run, batch));
    }
    const replies = throwFirst(await pipeline.exec());
    return batches.map((_, i) =>
      replies[2 * i] === 1 ? 'ready' : replies[2 * i + 1] === 1 ? 'waiting' : 'absent',
    );
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

  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += UNLINK_KEYS) {
      await this.#redis.unlink(...keys.slice(start, start + UNLINK_KEYS));
    }
  }
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

/** An entry of the ready stream; `null` if it is not one that a worker of ours wrote. */
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
  const { rows, verdicts, tokens, lostTokens } = (value ?? {}) as Partial<Record<keyof BatchSummary, unknown>>;
  const counts = (verdicts ?? {}) as Record<string, unknown>;
  return (
    [rows, tokens, lostTokens].every(Number.isFinite) &&
    ROW_VERDICTS.every((verdict) => Number.isFinite(counts[verdict]))
  );
}
