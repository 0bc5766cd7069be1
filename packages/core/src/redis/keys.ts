/** Names of the Redis keys; one place, so that nobody else spells one. */

/** Keys of one fleet. All share the hash tag `{prefix}`, so that scripts work on a Redis cluster. */
export interface Keys {
  /** Prefix for BullMQ's own keys. */
  readonly queuePrefix: string;
  /** Strings: requests of one caller in this minute; the caller follows. */
  readonly rate: string;
  /** Hash: what workers must know of a run. */
  run(run: string): string;
  /** String: texts of a batch, until it is done. */
  payload(run: string, batch: number): string;
  /** String: vectors of a batch, until the collector has them on disk. */
  result(run: string, batch: number): string;
  /** Hash: what is known of a batch that workers died over, until it is done. */
  trials(run: string, batch: number): string;
  /** String: terms of a glossary, as long as a run may need it. */
  glossary(id: string): string;
  /** Hash: vectors of texts that may come again, by the hash of the text and of all that decides its vector. */
  readonly cachedVectors: string;
  /** Sorted set: the fields of that hash by the time of their last use. */
  readonly cacheOrder: string;
  /** String: bytes that the cache takes. */
  readonly cacheBytes: string;
  /** Bitmap: one bit per batch that is done. */
  done(run: string): string;
  /** Stream: batches that wait for the collector of one data folder. */
  ready(dataDirId: string): string;
  /** String: who may collect for one data folder. */
  lease(dataDirId: string): string;
  /** Channel: interactive answers for one producer. */
  answers(producer: string): string;
  /** Channel: interactive texts that nobody waits for any more; every worker listens. */
  withdrawals: string;
  /** Hash: what workers say of their models, by name. */
  models: string;
  /** Set: ids of workers that were heard of lately. */
  readonly workers: string;
  /** String that expires: what a worker says of itself. */
  worker(id: string): string;
}

/** Keys below `{prefix}`. */
export function keysOf(prefix: string): Keys {
  const tag = `{${prefix}}`;
  return {
    queuePrefix: tag,
    run: (run) => `${tag}:run:${run}`,
    payload: (run, batch) => `${tag}:in:${run}:${batch}`,
    result: (run, batch) => `${tag}:out:${run}:${batch}`,
    trials: (run, batch) => `${tag}:trials:${run}:${batch}`,
    glossary: (id) => `${tag}:glossary:${id}`,
    cachedVectors: `${tag}:cache:vectors`,
    cacheOrder: `${tag}:cache:order`,
    cacheBytes: `${tag}:cache:bytes`,
    done: (run) => `${tag}:done:${run}`,
    ready: (dataDirId) => `${tag}:ready:${dataDirId}`,
    rate: `${tag}:rate`,
    lease: (dataDirId) => `${tag}:lease:${dataDirId}`,
    answers: (producer) => `${tag}:answers:${producer}`,
    withdrawals: `${tag}:withdrawals`,
    models: `${tag}:models`,
    workers: `${tag}:workers`,
    worker: (id) => `${tag}:worker:${id}`,
  };
}
