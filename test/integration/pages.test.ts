/** The dashboard as files over HTTP, and its data: the overview, its events and the statistics of a run. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readConfig } from '@embedmill/core/process';
import { connect, Heartbeat, keysOf, type Overview, type WorkerReport } from '@embedmill/core/redis';
import type { RunStatistics } from '@embedmill/core/runs';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from '@embedmill/producer';
import { pagesFolder } from '@embedmill/web';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const HTML = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };
const log = createLogger({ logLevel: 'silent' }, 'test');

const REPORT: WorkerReport = {
  id: 'here-1-aa',
  host: 'here',
  startedAt: '2026-11-23T12:00:00.000Z',
  threads: 2,
  busyThreads: 1,
  waitingBatches: 0,
  usedCores: 1.5,
  quotaCores: 2,
  memoryBytes: 1,
  model: 'all-MiniLM-L6-v2',
  fingerprint: 'ab',
};

describe('the pages', () => {
  it('are served to browsers, allow no external resources, and are revalidated each time', async () => {
    const api = await startApi();
    const answer = await api.call('GET', '/', HTML);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(await answer.text()).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it('are not served to clients that accept anything', async () => {
    const api = await startApi();
    const answer = await api.call('GET', '/', { headers: { accept: '*/*' } });
    expect(answer.headers.get('content-type')).not.toContain('text/html');
  });

  it('have immutable assets, because names contain a hash of the content', async () => {
    const api = await startApi();
    const names = [...readFileSync(join(pagesFolder, 'index.html'), 'utf8').matchAll(/assets\/[^"]+/g)];
    expect(names.length).toBeGreaterThan(1);
    for (const [name] of names) {
      const answer = await api.call('GET', `/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  it('take at most 250 KB to load initially, compressed', () => {
    const html = readFileSync(join(pagesFolder, 'index.html'), 'utf8');
    const first = [...html.matchAll(/assets\/[^"]+/g)].map(([name]) => name);
    const bytes = ['index.html', ...first].map(
      (name) => gzipSync(readFileSync(join(pagesFolder, name))).length,
    );
    expect(bytes.reduce((sum, n) => sum + n, 0)).toBeLessThan(250 * 1024);
    // The readers of tables, the map and the pages with a map are loaded on demand.
    const all = readdirSync(join(pagesFolder, 'assets'));
    const others = all.filter((name) => !first.includes(`assets/${name}`)).map((name) => name.split('-')[0]);
    expect([...new Set(others)].sort()).toEqual(['Arrow.dom', 'explore', 'point', 'table', 'texts']);
  });

  it.each(['/assets/nothing.js', '/assets/..%2Findex.html', '/assets/..%2F..%2Findex.js', '/assets/%00'])(
    'answer %s with a problem that is not cached',
    async (path) => {
      const api = await startApi();
      const answer = await api.call('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect((await answer.json()).code).toBe('not-found');
    },
  );
});

describe('the overview', () => {
  it('reports runs, queues, workers and Redis, as a response and as events', async () => {
    const redis = testRedis();
    const config = readConfig({
      REDIS_URL: redis.url,
      PORT: '0',
      EMBEDMILL_PREFIX: redis.prefix,
      EMBEDMILL_DATA_DIR: temporaryFolder(),
    });
    const producer = await startProducer(config, { log });
    onTestFinished(() => producer.stop());
    const ask = async () => (await (await fetch(`${producer.url}/v1/overview`)).json()) as Overview;
    await until(async () => (await ask()).health.state !== 'unavailable');
    expect(await ask()).toMatchObject({
      runs: [],
      workers: [],
      health: { state: 'degraded', sentence: 'No worker is connected.' },
      runCounts: { open: 0 },
    });

    const connection = connect(redis.url, 'command', log);
    const heartbeat = new Heartbeat({
      redis: connection,
      keys: keysOf(redis.prefix),
      report: () => REPORT,
      log,
    });
    heartbeat.start();
    onTestFinished(() => connection.disconnect());
    await fetch(`${producer.url}/v1/runs`, { method: 'POST' });
    await until(async () => (await ask()).workers.length === 1);
    const overview = await ask();
    expect(overview.workers).toEqual([REPORT]);
    expect(overview.runs).toMatchObject([{ state: 'open' }]);
    expect(overview.runCounts.open).toBe(1);
    expect(overview.queues[0]).toMatchObject({ lane: 'bulk', counts: { waiting: 0 }, oldestWaitingMs: 0 });
    expect(overview.redis?.usedBytes).toBeGreaterThan(0);
    expect(overview.credits).toMatchObject({ usedBytes: 0, waiting: 0 });

    const events = await fetch(`${producer.url}/v1/events`);
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (heard.split('event: overview\n').length < 3) heard += (await reader.read()).value;
    await reader.cancel();
    expect(JSON.parse(/^data: (.*)$/m.exec(heard)![1]!)).toMatchObject({ workers: [REPORT] });

    await heartbeat.stop();
    await until(async () => (await ask()).workers.length === 0);
  });
});

describe('the statistics of a run', () => {
  it('count texts by their full length, even if they were truncated', async () => {
    const api = await startApi({ shardBytes: 1 });
    await startHashWorker(api.redis);
    const { id } = await api.create();
    expect(await (await api.call('GET', `/v1/runs/${id}/statistics`)).json()).toEqual({
      pace: { startedAt: null, intervalMs: 1000, rows: [] },
      lengths: [],
      rows: 0,
    });
    // The test engine counts words plus two as tokens, and truncates after 400 characters.
    const words = (n: number) => Array.from({ length: n }, () => 'word').join(' ');
    const texts = [words(1), words(5), words(6), words(30), '', 'x'.repeat(1000)];
    await api.send(
      id,
      0,
      texts.flatMap((text) => Array.from({ length: 5 }, () => ({ text }))),
    );
    await api.call('POST', `/v1/runs/${id}/seal`);
    await api.completed(id);
    const answer = await api.call('GET', `/v1/runs/${id}/statistics`);
    const { lengths, rows, pace } = (await answer.json()) as RunStatistics;
    expect(rows).toBe(30);
    expect(lengths.filter((bucket) => bucket.rows > 0)).toEqual([
      { fromTokens: 0, rows: 15 },
      { fromTokens: 8, rows: 5 },
      { fromTokens: 32, rows: 5 },
      { fromTokens: 512, rows: 5 },
    ]);
    expect(pace.rows.reduce((sum, n) => sum + n, 0)).toBe(30);
  });
});
