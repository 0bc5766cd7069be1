/**
 * The program of a thread that analyses one run: topics, key terms, map and near-duplicates. `compute.ts` starts it and
 * sends vectors and texts in batches, so that texts are never in memory all at once.
 */

import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import {
  type Matrix,
  nameFromTerms,
  type Steps,
  summarizeTopics,
  type Topics,
  topicSteps,
  topicTerms,
} from '@embedmill/analysis';
import { mapSteps, topicCenters } from '@embedmill/analysis/map';
import { nearDuplicateSteps } from './duplicates.ts';
import {
  type AnalysisRequest,
  type ComputedAnalysis,
  type ComputedTopic,
  type FromThread,
  STEPS,
  type ToThread,
} from './protocol.ts';

/** Minimum time between two reports of progress. */
const PROGRESS_MS = 200;

/** Nice value of the thread: workers on the same machine and requests come first. */
const NICE = 10;

/** Bytes of a topic's key, as hexadecimal digits: enough to tell a thousand topics apart. */
const KEY_CHARS = 24;

if (parentPort === null)
  throw new Error('analysis-thread.js must run as a worker thread; compute.ts starts it');
const port = parentPort;
const request = workerData as AnalysisRequest;
const waiting: ((message: ToThread) => void)[] = [];
const received: ToThread[] = [];
let reportedAt = 0;
port.on('message', (message: ToThread) => {
  const next = waiting.shift();
  if (next === undefined) received.push(message);
  else next(message);
});

lowerPriority();
const result = await analyse();
const { places, scores, topicOf } = result;
send({ kind: 'done', result }, [places.buffer, scores.buffer, topicOf.buffer] as ArrayBuffer[]);
port.close();

async function analyse(): Promise<ComputedAnalysis> {
  const steps: ComputedAnalysis['steps'] = [];
  const timed = async <Result>(name: string, work: () => Result | Promise<Result>): Promise<Result> => {
    const start = performance.now();
    report(name, 0);
    const found = await work();
    steps.push({ name, seconds: Math.round(performance.now() - start) / 1000 });
    return found;
  };
  const { matrix, rowOf } = await timed(STEPS.vectors.name, receiveVectors);
  const topics = await timed(STEPS.topics.name, () => {
    if (matrix.rows === 0) return null;
    const wanted = request.topics === null ? null : Math.min(request.topics, matrix.rows);
    return run(STEPS.topics.name, topicSteps(matrix, { topics: wanted }));
  });
  const clustering = topics?.clustering ?? { assignments: new Int32Array(), cosines: new Float32Array() };
  const { assignments } = clustering;
  send({ kind: 'topics', topics: topics?.clustering.centroids.rows ?? 0 });
  const terms = await timed(STEPS.words.name, () => countTerms(topics, rowOf));
  const places = await timed(STEPS.map.name, () => run(STEPS.map.name, mapSteps(matrix, {})));
  const duplicates = await timed(STEPS.duplicates.name, () =>
    run(STEPS.duplicates.name, nearDuplicateSteps(matrix, clustering, request.threshold)),
  );
  const summary = topics === null ? { topics: [], groups: [] } : summarizeTopics(topics, matrix, terms!);
  const centers = topicCenters(places, assignments, summary.topics.length);
  const keys = keysOf(assignments, rowOf, summary.topics.length);
  return {
    places: scatter(places, rowOf, new Float32Array(2 * request.rows).fill(Number.NaN), 2),
    scores: scatter(clustering.cosines, rowOf, new Float32Array(request.rows).fill(Number.NaN)),
    topicOf: scatter(assignments, rowOf, new Int16Array(request.rows).fill(-1)),
    topics: summary.topics.map(
      (topic): ComputedTopic => ({
        name: nameFromTerms(topic.terms, `Topic ${topic.topic + 1}`),
        key: keys[topic.topic]!,
        group: topic.group,
        rows: topic.rows,
        share: topic.share,
        terms: topic.terms.map((term) => ({ term, rows: terms!.rowsWith(topic.topic, term) })),
        examples: topic.representatives.map((row) => rowOf[row]!),
        nearest: topic.nearest,
        center: [centers[2 * topic.topic]!, centers[2 * topic.topic + 1]!],
      }),
    ),
    groups: summary.groups.map(({ group, rows, terms: words, topics: members }) => ({
      group,
      name: nameFromTerms(words, `Group ${group + 1}`),
      rows,
      terms: words,
      topics: members,
    })),
    duplicates: {
      ...duplicates,
      groups: duplicates.groups.map(({ rows, size }) => ({
        rows: rows.map(({ row, score }) => ({ row: rowOf[row]!, score })),
        size,
      })),
    },
    steps,
  };
}

/** Collects the rows that have a vector. */
async function receiveVectors(): Promise<{ matrix: Matrix; rowOf: Int32Array }> {
  const { rows, dim } = request;
  const vectors = new Float32Array(rows * dim);
  const rowOf = new Int32Array(rows);
  let count = 0;
  for await (const { from, vectors: some, present } of batches('vectors')) {
    for (const [i, isPresent] of present.entries()) {
      if (isPresent === 0) continue;
      vectors.set(some.subarray(i * dim, (i + 1) * dim), count * dim);
      rowOf[count] = from + i;
      count += 1;
    }
    report(STEPS.vectors.name, (from + present.length) / rows);
  }
  return {
    matrix: { rows: count, dim, vectors: vectors.subarray(0, count * dim) },
    rowOf: rowOf.subarray(0, count),
  };
}

async function countTerms(topics: Topics | null, rowOf: Int32Array) {
  const terms = topics === null ? null : topicTerms(topics);
  let at = 0;
  for await (const { from, texts } of batches('texts')) {
    for (const [i, text] of texts.entries()) {
      if (rowOf[at] !== from + i) continue;
      if (text !== null) terms?.add(topics!.clustering.assignments[at]!, text);
      at += 1;
    }
    report(STEPS.words.name, (from + texts.length) / request.rows);
  }
  return terms;
}

/** The messages of one kind, each acknowledged when it has been used. */
async function* batches<Kind extends ToThread['kind']>(
  kind: Kind,
): AsyncGenerator<Extract<ToThread, { kind: Kind }>> {
  for (;;) {
    const message = received.shift() ?? (await new Promise<ToThread>((resolve) => waiting.push(resolve)));
    if (message.kind !== kind) {
      send({ kind: 'taken' });
      return;
    }
    yield message as Extract<ToThread, { kind: Kind }>;
    send({ kind: 'taken' });
  }
}

function run<Result>(step: string, steps: Steps<Result>): Result {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    report(step, next.value);
  }
}

function report(step: string, progress: number): void {
  const now = performance.now();
  if (progress > 0 && now - reportedAt < PROGRESS_MS) return;
  reportedAt = now;
  send({ kind: 'progress', step, progress });
}

/** Writes the values of the rows with a vector to the positions of these rows in the run. */
function scatter<Values extends Float32Array | Int16Array>(
  from: ArrayLike<number>,
  rowOf: Int32Array,
  to: Values,
  width = 1,
): Values {
  for (const [i, row] of rowOf.entries()) {
    for (let column = 0; column < width; column++) to[width * row + column] = from[width * i + column]!;
  }
  return to;
}

/** Identifies each topic by its rows. */
function keysOf(topicOf: Int32Array, rowOf: Int32Array, topics: number): string[] {
  const hashes = Array.from({ length: topics }, () => createHash('sha256'));
  for (const [i, topic] of topicOf.entries()) hashes[topic]!.update(`${rowOf[i]!} `);
  return hashes.map((hash) => hash.digest('hex').slice(0, KEY_CHARS));
}

/** Linux has a priority per thread; elsewhere the thread has the one of the process. */
function lowerPriority(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICE);
  } catch {
    // The system does not tell threads apart.
  }
}

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
