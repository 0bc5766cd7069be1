/** Names of all Redis keys. */

/**
 * Version of the interactive lane, part of its lists and channels: producers and workers with another version do not see
 * each other's calls. Version 1, in releases before 0.2, was a queue of BullMQ.
 */
const LANE_VERSION = 2;

/** Keys of one fleet. All share the hash tag `{prefix}`, so that scripts work on a Redis cluster. */
export interface Keys {
  /** Prefix for BullMQ's own keys. */
  readonly queuePrefix: string;
  /** Prefix of strings: requests of one caller in this minute; the caller's name follows. */
  readonly rate: string;
  /** Hash: exists while workers may commit batches of the run. */
  run(run: string): string;
  /** String: payload of a batch, until it is done. */
  payload(run: string, batch: number): string;
  /** String: result of a batch, until the collector has stored it on disk. */
  result(run: string, batch: number): string;
  /** String that expires: a payload or result that is still being written in slices; `writer` is unique. */
  staged(writer: string): string;
  /** Hash: probe of a batch that crashed workers, until it is done; `trials` in the key since 0.1. */
  probe(run: string, batch: number): string;
  /** String: content of a glossary; it expires. */
  glossary(id: string): string;
  /** Hash: cached vectors, by the hash of the text and of everything else that determines its vector. */
  readonly cachedVectors: string;
  /** Sorted set: fields of that hash by time of last use. */
  readonly cacheOrder: string;
  /** String: size of the cache in bytes. */
  readonly cacheBytes: string;
  /** Bitmap: one bit per done batch. */
  done(run: string): string;
  /** Stream: batches ready for the collector of one data folder. */
  ready(dataDirId: string): string;
  /** String that expires: the producer that owns a data folder. */
  lease(dataDirId: string): string;
  /** List that expires: interactive calls for workers with a model, oldest first. */
  calls(model: string): string;
  /** List that expires: an entry ends the blocking read of one worker. */
  wake(worker: string): string;
  /** Channel: answers to the interactive calls of one producer. */
  answers(producer: string): string;
  /** Channel: ids of withdrawn parts of interactive calls; every worker with the model subscribes. */
  withdrawals(model: string): string;
  /** The same for workers with version 1 of the interactive lane, of all models. */
  readonly firstWithdrawals: string;
  /** Channel to which every worker process subscribes once, so that its subscribers can be counted. */
  readonly laneWorkers: string;
  /** Channel to which only this worker subscribes, so that its subscription shows that its process lives. */
  alive(worker: string): string;
  /** Hash: descriptions of the workers' models, by name. */
  readonly models: string;
  /** Set: names of models that runs or callers wait for. */
  readonly wantedModels: string;
  /** String that expires: where such a model comes from. */
  wantedModel(name: string): string;
  /** Set: ids of live workers. */
  readonly workers: string;
  /** String that expires: report of a worker. */
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
    staged: (writer) => `${tag}:staged:${writer}`,
    probe: (run, batch) => `${tag}:trials:${run}:${batch}`,
    glossary: (id) => `${tag}:glossary:${id}`,
    cachedVectors: `${tag}:cache:vectors`,
    cacheOrder: `${tag}:cache:order`,
    cacheBytes: `${tag}:cache:bytes`,
    done: (run) => `${tag}:done:${run}`,
    ready: (dataDirId) => `${tag}:ready:${dataDirId}`,
    rate: `${tag}:rate`,
    lease: (dataDirId) => `${tag}:lease:${dataDirId}`,
    calls: (model) => `${tag}:calls:${LANE_VERSION}:${model}`,
    wake: (worker) => `${tag}:wake:${worker}`,
    answers: (producer) => `${tag}:answers:${producer}`,
    withdrawals: (model) => `${tag}:withdrawals:${LANE_VERSION}:${model}`,
    laneWorkers: `${tag}:lane-workers:${LANE_VERSION}`,
    firstWithdrawals: `${tag}:withdrawals`,
    alive: (worker) => `${tag}:alive:${worker}`,
    models: `${tag}:models`,
    wantedModels: `${tag}:wanted-models`,
    wantedModel: (name) => `${tag}:wanted-model:${name}`,
    workers: `${tag}:workers`,
    worker: (id) => `${tag}:worker:${id}`,
  };
}
