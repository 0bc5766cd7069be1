/** The health of a producer: state, sentence and remedy for each fact that can be wrong. */

import { PROBLEM_CODES } from '@embedmill/contract';
import { faultOf } from '@embedmill/core/process';
import type { HealthFacts } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';
import { testHealth } from '../../support/health.ts';

const fault = (message: string, code?: string) =>
  faultOf(Object.assign(new Error(message), code === undefined ? {} : { code }));

describe('a producer without a problem', () => {
  it.each([
    [{}, '1 worker is connected; no run is active.'],
    [{ workers: 3 }, '3 workers are connected; no run is active.'],
    [
      { workers: 2, activeRuns: 1, backlogRows: 12_000, rowsPerSecond: 850.4 },
      '2 workers are connected; 1 run is active, 12,000 rows wait, 850 rows/s.',
    ],
  ])('says what it does: %o', (facts, sentence) => {
    expect(testHealth(facts)).toEqual({ state: 'ok', sentence, problems: [] });
  });
});

describe('each problem', () => {
  const cases: [
    facts: Partial<HealthFacts>,
    state: string,
    code: string,
    sentence: string,
    remedy: RegExp,
  ][] = [
    [
      { redisFault: fault('WRONGPASS invalid username-password pair') },
      'unavailable',
      'redis',
      'Redis refuses the password.',
      /Correct the password in REDIS_URL/,
    ],
    [
      { redisFault: fault("READONLY You can't write against a read only replica.") },
      'unavailable',
      'redis',
      'Redis is a read-only replica.',
      /primary/,
    ],
    [
      { redisFault: fault("NOPERM this user has no permissions to run the 'eval' command") },
      'unavailable',
      'redis',
      'The Redis user lacks a permission.',
      /ACL SETUSER/,
    ],
    [
      { redisFault: fault('MOVED 3999 127.0.0.1:6381') },
      'unavailable',
      'redis',
      'Redis is a cluster, which needs a cluster connection.',
      /redis\+cluster:/,
    ],
    [
      { redisFault: fault('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED') },
      'unavailable',
      'redis',
      'Redis is unreachable.',
      /reachable at the address in REDIS_URL/,
    ],
    [
      { diskFault: fault('no space left on device', 'ENOSPC'), freeBytes: 12_300, neededBytes: 4.2e9 },
      'unavailable',
      'disk',
      'The disk of the data folder is full: 12.3 kB free; the active runs need about 4.2 GB.',
      /Free space/,
    ],
    [
      { diskFault: fault('read-only file system', 'EROFS') },
      'unavailable',
      'disk',
      'The data folder is read-only.',
      /writable/,
    ],
    [
      { folderWaitsFor: 'another producer' },
      'unavailable',
      'starting',
      'The producer is starting and waits for another producer.',
      /ends/,
    ],
    [
      { isRedisFull: true },
      'unavailable',
      'redis-full',
      'Redis is nearly full: no rows are accepted until workers have freed memory.',
      /workers/,
    ],
    [
      { policyFault: 'Redis has maxmemory-policy allkeys-lru' },
      'unavailable',
      'redis-policy',
      'Redis has maxmemory-policy allkeys-lru.',
      /noeviction/,
    ],
    [
      { collectingFault: 'a file of the data folder is busy' },
      'unavailable',
      'collecting',
      'Collecting of results pauses: a file of the data folder is busy.',
      /nothing is lost/,
    ],
    [{ workers: 0 }, 'degraded', 'no-worker', 'No worker is connected.', /embedmill worker/],
    [
      { workers: 0, backlogRows: 1 },
      'degraded',
      'no-worker',
      '1 row waits and no worker is connected.',
      /embedmill worker/,
    ],
    [
      { waitingRuns: [{ id: 'r1', waitsFor: 'it waits for a worker with the model "x"' }] },
      'degraded',
      'no-model',
      'Run r1 stands still: it waits for a worker with the model "x".',
      /--model/,
    ],
    [
      { workers: 2, backlogRows: 500, idleMs: 180_000 },
      'degraded',
      'stalled',
      '500 rows wait, and none was done for 3 min although 2 workers are connected.',
      /logs of the workers/,
    ],
    [
      { freeBytes: 1e9, neededBytes: 2.5e9 },
      'degraded',
      'disk-space',
      'The disk of the data folder has 1.0 GB free, and the active runs need about 2.5 GB more.',
      /delete runs/,
    ],
    [
      {
        workers: 4,
        growth: { workers: 7, seconds: 1203 },
        backlogRows: 1_200_000,
        rowsPerSecond: 512.4,
        cpuSaturation: 0.968,
        activeRuns: 1,
      },
      'ok',
      'few-workers',
      'The workers are saturated (CPU 97 %, 512 rows/s); 3 more workers would finish the waiting 1,200,000 rows in 20 min instead of 39 min.',
      /^Start them where CPUs are free: .*--scale worker=7"\.$/,
    ],
    [
      {
        workers: 2,
        throttledWorkers: [{ host: 'a1', threads: 2, quotaCores: 1, throttledRatio: 0.49 }],
      },
      'degraded',
      'throttled',
      'The CPU quota stops the threads of worker a1 for 49 % of the time (2 threads, 1 core).',
      /whole cores/,
    ],
  ];

  it.each(cases)('%o', (facts, state, code, sentence, remedy) => {
    const health = testHealth(facts);
    expect(health).toMatchObject({ state, sentence });
    expect(health.problems).toMatchObject([{ code, sentence }]);
    expect(health.problems[0]!.remedy).toMatch(remedy);
  });

  it('has a case above, except that of a producer that does not answer', () => {
    const tested = new Set(cases.map(([, , code]) => code));
    expect(PROBLEM_CODES.filter((code) => !tested.has(code))).toEqual(['producer']);
  });
});

describe('several problems', () => {
  it('are ordered by weight, and what follows from another is left out', () => {
    const { problems, state } = testHealth({
      redisFault: fault('connect ECONNREFUSED', 'ECONNREFUSED'),
      collectingFault: 'Redis is unreachable',
      folderWaitsFor: 'Redis',
      workers: 0,
      backlogRows: 10,
    });
    expect(state).toBe('unavailable');
    expect(problems.map(({ code }) => code)).toEqual(['redis']);
  });

  it('differ in whether time may end them', () => {
    const mayPass = (redisFault: HealthFacts['redisFault']) =>
      testHealth({ redisFault }).problems[0]!.mayPass;
    expect(mayPass(fault('WRONGPASS x'))).toBe(false);
    expect(mayPass(fault('LOADING Redis is loading the dataset in memory'))).toBe(true);
  });

  it('a stalled fleet gets no advice to grow', () => {
    const growth = { workers: 4, seconds: 2 };
    const facts = { workers: 1, growth, backlogRows: 9, rowsPerSecond: 1, idleMs: 300_000 };
    expect(testHealth(facts).problems.map(({ code }) => code)).toEqual(['stalled']);
  });

  it('name the run if it is the only one concerned', () => {
    const waitingRuns = [
      { id: 'r1', waitsFor: 'it waits' },
      { id: 'r2', waitsFor: 'it waits' },
    ];
    expect(testHealth({ waitingRuns }).problems.map(({ run }) => run)).toEqual(['r1', 'r2']);
    expect(testHealth({ workers: 0 }).problems[0]!.run).toBeNull();
  });
});

describe('the advice to add workers', () => {
  const facts = { workers: 2, backlogRows: 3000, rowsPerSecond: 5.25, growth: { workers: 3, seconds: 380 } };
  const sentenceOf = (given: object) => testHealth({ ...facts, ...given }).problems[0]?.sentence;

  it('says how busy the present ones are', () => {
    const rest = '1 more worker would finish the waiting 3,000 rows in 6 min instead of 10 min.';
    expect(sentenceOf({ cpuSaturation: 0.4 })).toBe(
      `The workers do 5.3 rows/s with 40 % of their CPUs; ${rest}`,
    );
    expect(sentenceOf({})).toBe(`The workers do 5.3 rows/s; ${rest}`);
    expect(testHealth({ ...facts, cpuSaturation: 0.4 }).problems[0]!.remedy).toMatch(
      /look first for other load/,
    );
  });

  it('is not given if it would not help, or before the speed is known', () => {
    expect(sentenceOf({ growth: { workers: 2, seconds: 570 } })).toBeUndefined();
    expect(sentenceOf({ growth: { workers: 3, seconds: 600 } })).toBeUndefined();
    expect(sentenceOf({ growth: null })).toBeUndefined();
    expect(sentenceOf({ rowsPerSecond: 0 })).toBeUndefined();
  });
});
