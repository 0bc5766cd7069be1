/**
 * A real run and interactive calls under random faults from a seed: every row is there once, every answer belongs to its call,
 * and Redis is empty at the end.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { startCalls } from '../support/call-checker.ts';
import { FaultProxy, SOUND_NETWORK } from '../support/fault-proxy.ts';
import { temporaryFolder } from '../support/folder.ts';
import {
  expectWhole,
  type ProducerProcess,
  type SentRow,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../support/mill.ts';
import type { TestProcess } from '../support/process.ts';
import { redisProcess } from '../support/redis-process.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type PlannedFault, parseKinds, planFaults } from './plan.ts';
import { copyContent, loseKeys, makeReadOnly, restoreContent } from './state-faults.ts';

const MINUTES = Number(process.env.CHAOS_MINUTES ?? 10);
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const KINDS = parseKinds(process.env.CHAOS_KINDS ?? '');
const WORKERS = 3;
const PART_ROWS = 100;
const CALLERS = 4;

const NOTHING = {
  payloads: 0,
  results: 0,
  runs: 0,
  doneBitmaps: 0,
  trials: 0,
  readyEntries: 0,
  jobs: 0,
  calls: 0,
};

/** Number of keys and entries of runs that are left in Redis. */
async function whatIsLeft(client: Redis): Promise<typeof NOTHING> {
  const keys = await client.keys('{chaos}:*');
  const count = (kind: string) => keys.filter((key) => key.startsWith(`{chaos}:${kind}`)).length;
  const streams = keys.filter((key) => key.startsWith('{chaos}:ready:'));
  const lengths = await Promise.all(streams.map((key) => client.xlen(key)));
  return {
    payloads: count('in:'),
    results: count('out:'),
    runs: count('run:'),
    doneBitmaps: count('done:'),
    trials: count('trials:'),
    readyEntries: lengths.reduce((sum, length) => sum + length, 0),
    jobs: count('bulk:r'),
    calls: count('calls:'),
  };
}

describe(`${MINUTES} minutes of chaos from seed ${SEED}`, () => {
  it('lose no row, duplicate none and swap no answer', async () => {
    const redis = await redisProcess();
    await redis.start();
    const proxy = new FaultProxy({ host: '127.0.0.1', port: redis.port }, seededRandom(SEED));
    await proxy.start();
    onTestFinished(() => proxy.stop());
    const place = { url: `redis://127.0.0.1:${proxy.port}`, prefix: 'chaos' };
    const dataDir = temporaryFolder();
    const temporaryRoot = temporaryFolder();
    let producer = await startProducerProcess(place, dataDir);
    await producer.ready();

    let isOver = false;
    const workers: TestProcess[] = [];
    const keepWorker = async (slot: number) => {
      while (!isOver) {
        const worker = await startWorkerProcess(place, { HASH_ENGINE_TEXT_MS: '2' });
        workers[slot] = worker;
        await worker.exited;
      }
    };
    for (let slot = 0; slot < WORKERS; slot++) keepWorker(slot).catch(() => {});

    const rows: SentRow[] = [];
    // Number of times that an older data folder was restored; the client sends other texts afterwards.
    let restored = 0;
    // Settles when the request under way has been accepted; no upload starts while a fault holds it.
    let uploads = Promise.resolve();
    const withoutUploads = (step: () => Promise<void>): Promise<void> => {
      const result = uploads.then(step);
      uploads = result.catch(() => {});
      return result;
    };
    const stopProducer = async () => {
      producer.process.kill('SIGKILL');
      await producer.process.exited;
    };

    const cause = async ({ kind, lastsMs, worker, choice }: PlannedFault): Promise<void> => {
      switch (kind) {
        case 'kill-worker':
          workers[worker]?.kill('SIGKILL');
          break;
        case 'freeze-worker': {
          const frozen = workers[worker];
          frozen?.kill('SIGSTOP');
          await sleep(lastsMs);
          frozen?.kill('SIGCONT');
          break;
        }
        case 'kill-producer':
          await stopProducer();
          producer = await startProducerProcess(place, dataDir);
          break;
        case 'replace-producer': {
          await producer.ready(120_000);
          const second = await startProducerProcess(place, dataDir);
          await sleep(lastsMs);
          const refusal = await second.call('POST', '/v1/runs', {
            headers: { 'content-type': 'application/json' },
            body: '{}',
          });
          if (refusal.ok) throw new Error('two producers accept runs for one data folder');
          await stopProducer();
          producer = second;
          break;
        }
        case 'stale-folder': {
          const copy = join(temporaryRoot, `copy-${restored}`);
          let sent = 0;
          await withoutUploads(async () => {
            sent = rows.length;
            copyContent(dataDir, copy);
          });
          await sleep(lastsMs);
          await withoutUploads(async () => {
            await stopProducer();
            restoreContent(copy, dataDir);
            rows.length = sent;
            restored += 1;
            producer = await startProducerProcess(place, dataDir);
          });
          break;
        }
        case 'read-only-folder': {
          const makeWritable = makeReadOnly(dataDir);
          await sleep(lastsMs).finally(makeWritable);
          break;
        }
        case 'lost-keys':
          await redis.ask((client) => loseKeys(client, choice));
          break;
        case 'slow-link':
          proxy.set({ bytesPerSecond: 100_000 * 20 ** choice });
          await sleep(lastsMs);
          proxy.set(SOUND_NETWORK);
          break;
        case 'kill-redis':
        case 'empty-redis':
          await redis.kill();
          if (kind === 'empty-redis') redis.empty();
          await sleep(lastsMs);
          await redis.start();
          break;
        case 'freeze-redis':
          redis.freeze();
          await sleep(lastsMs);
          redis.thaw();
          break;
        case 'reset-network':
          proxy.reset();
          break;
        case 'half-open-network':
          proxy.halve();
          break;
        case 'freeze-network':
        case 'slow-network':
          proxy.set(kind === 'slow-network' ? { latencyMs: 100 } : { traffic: 'freeze' });
          await sleep(lastsMs);
          proxy.set(SOUND_NETWORK);
          break;
      }
    };

    const run = await persist(() => producer, created);
    const endAt = Date.now() + MINUTES * 60_000;
    const feed = async () => {
      // A fault may take acknowledged rows away by restoring an older folder, so that the client outlives faults.
      while (Date.now() < endAt || !isCalm) {
        await withoutUploads(async () => {
          const part = rows.length / PART_ROWS;
          const ofPart = sentRows(PART_ROWS, rows.length).map(({ id, text }) => ({
            id,
            text: restored === 0 ? text : `${text}, version ${restored}`,
          }));
          await persist(
            () => producer,
            (to) => accepted(to.send(run, part, ofPart)),
          );
          rows.push(...ofPart);
        });
        await sleep(150);
      }
    };
    let isCalm = false;
    const counts: Record<string, number> = {};
    const disturb = async () => {
      for (const fault of planFaults(SEED, WORKERS, KINDS)) {
        await sleep(fault.waitMs);
        if (Date.now() > endAt) break;
        counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
        await cause(fault);
      }
      isCalm = true;
    };
    const work = async () => {
      await Promise.all([feed(), disturb()]);
      await persist(
        () => producer,
        (to) => accepted(to.seal(run)),
      );
      await expectWhole({ producer, run, rows }, 5 * 60_000);
    };
    const stopCalls = startCalls({ url: () => producer.url, callers: CALLERS, random: seededRandom(SEED) });
    // Stopped before the test ends, or restarted workers would outlive the test.
    const calls = await work()
      .finally(() => {
        isOver = true;
      })
      .then(stopCalls, async (error) => {
        await stopCalls();
        throw error;
      });

    const left = () => redis.ask((client) => whatIsLeft(client));
    // A job of a done batch is left for up to 60 s if it is delayed (`MAX_REDO_PAUSE_MS`), for about 4 s if its worker is dead
    // (1.5 s until its lock expires, then two checks for stalled jobs), and for two audits of 30 s if it is in no list and
    // the first audit finds it locked. Workers take calls at once. The rest is for a machine under load.
    await until(async () => {
      const { jobs, calls } = await left();
      return jobs === 0 && calls === 0;
    }, 120_000).catch(() => {});
    const metrics = await (await producer.call('GET', '/metrics')).text();
    const creditBytes = Number(/^embedmill_credit_used_bytes (\S+)$/m.exec(metrics)?.[1]);
    const report = {
      seed: SEED,
      minutes: MINUTES,
      rows: rows.length,
      faults: counts,
      calls,
      left: await left(),
      creditBytes,
    };
    console.log(JSON.stringify(report, null, 2));
    expect(report).toMatchObject({ left: NOTHING, creditBytes: 0, calls: { faults: [] } });
    expect(calls.answered).toBeGreaterThan(0);
  });
});

async function created(producer: ProducerProcess): Promise<string> {
  const id = await producer.create();
  if (id === undefined) throw new Error('no run was created');
  return id;
}

async function accepted(answer: Promise<Response>): Promise<void> {
  const { status } = await answer;
  if (status >= 400) throw new Error(`refused with ${status}`);
}

/** Repeats a request until it succeeds, to whichever producer is up. */
async function persist<Value>(
  producer: () => ProducerProcess,
  request: (to: ProducerProcess) => Promise<Value>,
): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await request(producer());
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(300);
    }
  }
}
