/** The exchange on Redis; the only file that reads or writes its keys. */

import type { BatchSummary } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { BEGIN_TRIALS, COMMIT, TAKE } from './scripts.ts';
import type {
  BatchPresence,
  CommitOutcome,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  Trials,
  WorkerExchange,
} from './types.ts';

const DAY_SECONDS = 24 * 60 * 60;

/** Last resort against keys that nobody removes; far longer than a batch may wait in a healthy fleet. */
const LIFETIME_SECONDS = 14 * DAY_SECONDS;

/** Keys per UNLINK, so that no single command holds Redis for long. */
const UNLINK_KEYS = 500;

/** Redis with our scripts as commands. */
type ScriptedRedis = Redis & {
  embedmillTakeBuffer(...keysAndArguments: (string | number)[]): Promise<Buffer | [Buffer]>;
  embedmillCommit(...keysAndArguments: (string | number | Buffer)[]): Promise<CommitOutcome>;
  embedmillBeginTrials(key: string, lifetimeSeconds: number): Promise<string[]>;
};

/** What the Redis exchange works with. */
export interface RedisExchangeDeps {
  /** For every command but the blocking read. */
  redis: Redis;
  /** A connection of its own for `readReady`, which blocks it; only the producer needs it. */
  blocking?: Redis;
  keys: Keys;
}

/** @see WorkerExchange @see ProducerExchange */
export class RedisExchange implements WorkerExchange, ProducerExchange {
  readonly #redis: ScriptedRedis;
  readonly #blocking: Redis;
  readonly #keys: Keys;

  constructor({ redis, blocking, keys }: RedisExchangeDeps) {
    redis.defineCommand('embedmillTake', { lua: TAKE, numberOfKeys: 4 });
    redis.defineCommand('embedmillCommit', { lua: COMMIT, numberOfKeys: 6 });
    redis.defineCommand('embedmillBeginTrials', { lua: BEGIN_TRIALS, numberOfKeys: 1 });
    this.#redis = redis as ScriptedRedis;
    this.#blocking = blocking ?? redis;
    this.#keys = keys;
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
    // A copy of its own: the reply is a slice of ioredis's read buffer, which must not be transferred to a thread.
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
      keys.trials(run, batch),
      batch,
      bufferOf(result),
      LIFETIME_SECONDS,
      run,
      JSON.stringify(summary),
    );
  }

  async beginTrials(run: string, batch: number): Promise<Trials> {
    const fields = await this.#redis.embedmillBeginTrials(this.#keys.trials(run, batch), LIFETIME_SECONDS);
    const deaths = new Map<number, number>();
    let begun = 0;
    for (let i = 0; i < fields.length; i += 2) {
      const [field = '', value] = [fields[i], Number(fields[i + 1])];
      if (field === 'begun') begun = value;
      else deaths.set(Number(field.slice('deaths:'.length)), value);
    }
    return { begun, deaths };
  }

  async markTrial(run: string, batch: number, row: number | null): Promise<void> {
    const key = this.#keys.trials(run, batch);
    if (row === null) await this.#redis.hdel(key, 'row');
    else await this.#redis.hset(key, 'row', row);
  }

  async readReady(dataDirId: string, after: string, most: number, blockMs: number): Promise<ReadyBatch[]> {
    const reply = await this.#blocking.xread(
      'COUNT',
      most,
      'BLOCK',
      blockMs,
      'STREAMS',
      this.#keys.ready(dataDirId),
      after,
    );
    return (reply?.[0]?.[1] ?? []).map(([entry, fields]) => {
      const [, run = '', , batch = '', , summary = 'null'] = fields;
      return { entry, run, batch: Number(batch), summary: JSON.parse(summary) as BatchSummary | null };
    });
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
    // The results go first: an entry without its result is looked at again and found to be on disk, a result without its entry would stay.
    await this.#unlink(batches.map(({ run, batch }) => this.#keys.result(run, batch)));
    await this.forgetEntries(
      dataDirId,
      batches.map(({ entry }) => entry),
    );
  }

  async forgetEntries(dataDirId: string, entries: readonly string[]): Promise<void> {
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
    // The hash goes first: from then on a late commit is answered with `gone` and leaves nothing behind.
    await this.#redis.unlink(this.#keys.run(run), this.#keys.done(run));
    await this.#unlink(
      batches.flatMap((batch) => [
        this.#keys.payload(run, batch),
        this.#keys.result(run, batch),
        this.#keys.trials(run, batch),
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
