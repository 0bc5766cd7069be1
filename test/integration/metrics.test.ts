/** Metrics of producer and worker: series, labels, and validation with promtool. */

import { execFile, spawnSync } from 'node:child_process';
import { type Config, readConfig } from '@embedmill/core/process';
import { CpuLoad, createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool)
  console.warn("promtool is not installed (Debian's package prometheus): the checks with it are skipped");

async function produce({ url, prefix }: TestRedis, settings: Partial<Config> = {}): Promise<RunningProducer> {
  const config = {
    ...readConfig({}),
    redisUrl: url,
    prefix,
    port: 0,
    dataDir: temporaryFolder(),
    ...settings,
  };
  const producer = await startProducer(config, { log });
  onTestFinished(() => producer.stop());
  await expect.poll(async () => (await fetch(`${producer.url}/readyz`)).status).toBe(200);
  return producer;
}

async function work({ url, prefix }: TestRedis): Promise<RunningWorker> {
  const config = { ...readConfig({}), redisUrl: url, prefix, workerPort: 0, threads: 1 };
  const worker = await startWorker(config, { log });
  onTestFinished(() => worker.stop());
  return worker;
}

const page = async (url: string) => (await fetch(`${url}/metrics`)).text();

/** Value of a series, named with its labels; `undefined` if the page does not have it. */
function sampleOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function runRows(base: string, count: number): Promise<void> {
  const post = async (path: string, body: string, type = 'application/json') =>
    (await fetch(`${base}${path}`, { method: 'POST', headers: { 'content-type': type }, body })).json();
  const { id } = (await post('/v1/runs', JSON.stringify({ batchRows: 20 }))) as { id: string };
  const rows = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ text: `A small sentence, number ${i}.` }),
  );
  await post(`/v1/runs/${id}/rows?part=0`, rows.join('\n'), 'application/x-ndjson');
  await post(`/v1/runs/${id}/seal`, '{}');
  await expect
    .poll(async () => ((await (await fetch(`${base}/v1/runs/${id}`)).json()) as { state: string }).state)
    .toBe('completed');
}

function promtool(metrics: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile('promtool', ['check', 'metrics'], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, output: stdout + stderr }),
    );
    child.stdin?.end(metrics);
  });
}

describe('the metrics', () => {
  it('exist at zero before the first event, so that rates include it', async () => {
    const redis = testRedis();
    const [producer, worker] = await Promise.all([produce(redis), work(redis)]);
    const ofWorker = await page(worker.url);
    for (const series of [
      'embedmill_texts_total{lane="bulk",verdict="failed"}',
      'embedmill_tokens_total{lane="interactive"}',
      'embedmill_batches_total{outcome="duplicate"}',
      'embedmill_duplicate_batches_total',
      'embedmill_stalled_batches_total',
      'embedmill_retried_batches_total',
      'embedmill_lock_renewal_failures_total',
      'embedmill_stage_seconds_count{stage="queue-wait"}',
      'embedmill_stage_seconds_count{stage="infer"}',
      'embedmill_threads_busy',
    ])
      expect(sampleOf(ofWorker, series), series).toBe(0);
    const ofProducer = await page(producer.url);
    for (const series of [
      'embedmill_http_requests_total{method="POST",route="/v1/runs",status="5xx"}',
      'embedmill_stage_seconds_count{stage="drain"}',
      'embedmill_queue_batches{lane="bulk",state="waiting"}',
      'embedmill_queue_oldest_batch_age_seconds{lane="bulk"}',
      'embedmill_credit_used_bytes',
      'embedmill_results_unacked_bytes',
      'embedmill_backlog_tokens',
      'embedmill_workers_wanted',
      'embedmill_redis_evicted_keys_total',
    ])
      expect(sampleOf(ofProducer, series), series).toBe(0);
  });

  it('count a run in every stage, without its id', async () => {
    const redis = testRedis();
    const [producer, worker] = await Promise.all([produce(redis), work(redis)]);
    await runRows(producer.url, 50);
    const ofWorker = await page(worker.url);
    expect(sampleOf(ofWorker, 'embedmill_texts_total{lane="bulk",verdict="ok"}')).toBe(50);
    for (const stage of ['queue-wait', 'fetch', 'tokenize', 'infer', 'commit'])
      expect(sampleOf(ofWorker, `embedmill_stage_seconds_count{stage="${stage}"}`), stage).toBe(3);
    const secondsOf = (stage: string) =>
      sampleOf(ofWorker, `embedmill_stage_seconds_sum{stage="${stage}"}`) ?? Number.NaN;
    // Tokenization is a small part of inference.
    expect(secondsOf('tokenize')).toBeGreaterThan(0);
    expect(secondsOf('tokenize')).toBeLessThan(secondsOf('infer'));
    expect(sampleOf(ofWorker, 'embedmill_threads')).toBe(1);
    const ofProducer = await page(producer.url);
    expect(sampleOf(ofProducer, 'embedmill_stage_seconds_count{stage="drain"}')).toBe(3);
    expect(
      sampleOf(ofProducer, 'embedmill_http_requests_total{method="POST",route="/v1/runs",status="2xx"}'),
    ).toBe(1);
    expect(sampleOf(ofProducer, 'embedmill_workers{lane="bulk"}')).toBe(1);
    expect(sampleOf(ofProducer, 'embedmill_redis_up')).toBe(1);
    expect(sampleOf(ofProducer, 'embedmill_credit_used_bytes')).toBe(0);
    for (const text of [ofWorker, ofProducer]) {
      expect(text.split('\n').length).toBeLessThan(500);
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    }
  });

  it('do not grow with unknown paths', async () => {
    const producer = await produce(testRedis());
    for (const path of ['/a', '/b', '/v1/runs/x', '/v1/runs/y']) await fetch(`${producer.url}${path}`);
    const text = await page(producer.url);
    expect(sampleOf(text, 'embedmill_http_requests_total{method="GET",route="none",status="4xx"}')).toBe(2);
    expect(
      sampleOf(text, 'embedmill_http_requests_total{method="GET",route="/v1/runs/:id",status="4xx"}'),
    ).toBe(2);
  });

  it.skipIf(!hasPromtool)('pass promtool check metrics', async () => {
    const redis = testRedis();
    const [producer, worker] = await Promise.all([produce(redis), work(redis)]);
    for (const url of [producer.url, worker.url])
      expect(await promtool(await page(url)), url).toEqual({ code: 0, output: '' });
  });

  it.skipIf(!hasPromtool)('have rules that are right and alerts that fire when they should', () => {
    const folder = new URL('../../infra/prometheus/', import.meta.url);
    for (const parameters of [
      ['check', 'rules', 'rules.yml'],
      ['test', 'rules', 'rules.test.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', parameters, { cwd: folder, encoding: 'utf8' });
      expect(status, `${stdout}${stderr}`).toBe(0);
    }
  });
});

describe('GET /v1/scale', () => {
  const scale = async (base: string) =>
    (await (await fetch(`${base}/v1/scale`)).json()) as Record<string, number | null>;

  it('requests one worker while the speed is unknown, and none when all rows are done', async () => {
    const redis = testRedis();
    const producer = await produce(redis);
    expect(await scale(producer.url)).toMatchObject({ backlogRows: 0, workers: 0, desiredWorkers: 0 });
    const done = runRows(producer.url, 600);
    await expect.poll(() => scale(producer.url)).toMatchObject({ backlogRows: 600, desiredWorkers: 1 });
    expect(await scale(producer.url)).toMatchObject({
      backlogTokens: 600 * 32,
      cpuSaturation: null,
      tokensPerSecondPerWorker: null,
    });
    await work(redis);
    await expect.poll(async () => (await scale(producer.url)).tokensPerSecond).toBeGreaterThan(0);
    await done;
    expect(await scale(producer.url)).toMatchObject({ backlogRows: 0, workers: 1, desiredWorkers: 0 });
  });
});

describe('the CPU load', () => {
  it('is the increase over the last 10 seconds, however often it is read', () => {
    let now = 0;
    let used = 100;
    const load = new CpuLoad({ usageSeconds: () => used, now: () => now });
    expect(load.usedCores()).toBe(0);
    for (let second = 1; second <= 30; second += 1) {
      now += 1000;
      used += second > 15 ? 2 : 0.5;
      load.usedCores();
    }
    expect(load.usedCores()).toBeCloseTo(2);
  });
});
