/** The exchange on Redis; the only file that reads or writes the keys of runs and batches. */

import type { BatchSummary } from '@embedmill/contract';
import type { Redis } from 'ioredis';
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

/** Keys per UNLINK, so that no single command blocks Redis for long. */
const UNLINK_KEYS = 500;

/** Redis with our scripts as commands. */
type ScriptedRedis = Redis & {
  embedmillTakeBuffer(...keysAndArguments: (string | number)[]): Promise<Buffer | [Buffer]>;
  embedmillCommit(...keysAndArguments: (string | number | Buffer)[]): Promise<CommitOutcome>;
  embedmillBeginProbe(key: string, lifetimeSeconds: number): Promise<string[]>;
};

/** What the exchange works with. */
export interface RedisExchangeDeps {
  /** Connection for all commands except the blocking read. */
  redis: Redis;
  /** Separate connection for `readReady`, which blocks it; only the producer needs one. */
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
    redis.defineCommand('embedmillBeginProbe', { lua: BEGIN_PROBE, numberOfKeys: 1 });
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
      // A batch of other rows may have been done under this number, if the data folder was replaced by an older copy.
      pipeline.setbit(this.#keys.done(run), batch, 0);
      pipeline.set(this.#keys.payload(run, batch), bufferOf(payload), 'EX', LIFETIME_SECONDS);
    }
    pipeline.expire(this.#keys.done(run), LIFETIME_SECONDS);
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

  async beginProbe(run: string, batch: number): Promise<ProbeHistory> {
    const fields = await this.#redis.embedmillBeginProbe(this.#keys.probe(run, batch), LIFETIME_SECONDS);
    const deaths = new Map<number, number>();
    let begun = 0;
    for (let i = 0; i < fields.length; i += 2) {
      const [field = '', value] = [fields[i], Number(fields[i + 1])];
      if (field === 'begun') begun = value;
      else deaths.set(Number(field.slice('deaths:'.length)), value);
    }
    return { begun, deaths };
  }

  async markProbedRow(run: string, batch: number, row: number | null): Promise<void> {
    const key = this.#keys.probe(run, batch);
    if (row === null) await this.#redis.hdel(key, 'row');
    else await this.#redis.hset(key, 'row', row);
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
