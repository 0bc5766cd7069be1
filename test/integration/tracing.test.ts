/** A trace goes from a request over the queue to the inference thread, as a collector gets it from both processes. */

import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { startNode } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';
import { type CollectedSpan, startTraceCollector } from '../support/trace-collector.ts';

/** As a caller's own tracing writes it: version, trace, span, sampled. */
const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const ASKED = 'b'.repeat(32);
/** OTLP's number for the kind of a span that answers a request. */
const SERVER = 2;
const TRACEPARENT = `00-${CALLER.trace}-${CALLER.span}-01`;

/** Several processes start and end in each test. */
describe('tracing', () => {
  it('shows a batch from the request that brought it to the thread that embedded it', async () => {
    const [place, collector] = [testRedis(), await startTraceCollector()];
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` };
    const producer = await startProducerProcess(place, temporaryFolder(), env);
    await producer.ready();
    const worker = await startWorkerProcess(place, env);
    const run = await producer.create();
    const rows = sentRows(25);
    const headers = {
      'content-type': 'application/x-ndjson',
      traceparent: TRACEPARENT,
      'x-request-id': 'r-1',
    };
    const sent = await producer.call('POST', `/v1/runs/${run}/rows?part=0`, { headers, body: linesOf(rows) });
    expect(sent.status).toBe(201);
    await producer.seal(run);
    await expectWhole({ producer, run, rows });
    const unsampled = `00-${'a'.repeat(32)}-${CALLER.span}-00`;
    await producer.call('GET', '/v1/runs', { headers: { traceparent: unsampled } });
    await producer.call('GET', '/v1/runs', { headers: { traceparent: 'nonsense' } });
    await producer.call('GET', '/metrics');
    const asked = await producer.call('POST', '/v1/embed', {
      headers: { 'content-type': 'application/json', traceparent: `00-${ASKED}-${CALLER.span}-01` },
      body: '{"texts":["now, please"]}',
    });
    expect(asked.status).toBe(200);
    // What is still in them is delivered at their end.
    for (const { process } of [producer, { process: worker }]) {
      process.kill('SIGTERM');
      expect(await process.waitForExit()).toEqual({ code: 0, signal: null });
    }

    const trace = collector.spans.filter(({ traceId }) => traceId === CALLER.trace);
    const named = (name: string) => trace.filter((span) => span.name === name);
    const parentOf = (span: CollectedSpan) => trace.find(({ spanId }) => spanId === span.parentSpanId);
    const [request, ...others] = named('POST /v1/runs/:id/rows');
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      service: 'embedmill-producer',
      parentSpanId: CALLER.span,
      attributes: { 'http.response.status_code': 201, 'embedmill.request': 'r-1' },
    });
    // 25 rows are three batches of at most ten.
    expect(named('inference thread')).toHaveLength(3);
    for (const thread of named('inference thread')) {
      const path: CollectedSpan[] = [];
      for (let span: CollectedSpan | undefined = thread; span; span = parentOf(span)) path.push(span);
      expect(path.map(({ name }) => name)).toEqual([
        'inference thread',
        'infer',
        'process bulk',
        'addBulk bulk',
        'POST /v1/runs/:id/rows',
      ]);
      const [, infer] = path as [CollectedSpan, CollectedSpan];
      expect(infer.attributes).toMatchObject({ 'embedmill.run': run });
      expect(thread.startedAtMs).toBeGreaterThanOrEqual(infer.startedAtMs - 5);
      expect(thread.endedAtMs).toBeLessThanOrEqual(infer.endedAtMs + 5);
      expect(thread.service).toBe('embedmill-worker');
    }
    for (const name of ['fetch', 'commit']) {
      expect(named(name).map((span) => parentOf(span)?.name)).toEqual(Array(3).fill('process bulk'));
    }
    const batches = named('commit').map(({ attributes }) => Number(attributes['embedmill.batch']));
    expect(batches.sort()).toEqual([0, 1, 2]);

    const interactive = collector.spans.filter(({ traceId }) => traceId === ASKED).map(({ name }) => name);
    expect(interactive).toEqual(
      expect.arrayContaining(['POST /v1/embed', 'process interactive', 'infer', 'inference thread']),
    );

    // Neither housekeeping of the queue nor probes begin a trace, nor does a request whose caller does not sample.
    const beginnings = collector.spans.filter(({ parentSpanId }) => parentSpanId === '');
    expect(new Set(beginnings.map(({ kind }) => kind))).toEqual(new Set([SERVER]));
    const names = new Set(beginnings.map(({ name }) => name));
    expect([...names].filter((name) => /metrics|readyz|healthz/.test(name))).toEqual([]);
    expect(beginnings.filter(({ name }) => name === 'GET /v1/runs')).toHaveLength(1);
    expect(collector.spans.filter(({ traceId }) => traceId === 'a'.repeat(32))).toEqual([]);
  });

  it('costs a producer nothing but a line in the log when nobody takes the traces', async () => {
    const place = testRedis();
    // Port 9 (discard) is closed everywhere.
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const producer = await startProducerProcess(place, temporaryFolder(), env);
    await producer.ready();
    expect((await producer.call('GET', '/v1/runs')).status).toBe(200);
    producer.process.kill('SIGTERM');
    expect(await producer.process.waitForExit()).toEqual({ code: 0, signal: null });
    expect(producer.process.stderr).toContain('trace export failed, spans dropped');
  });

  it('loads nothing of OpenTelemetry when it is off', async () => {
    const loaded = async (otlpUrl: string | undefined) => {
      const script = `
        import { createRequire } from 'node:module';
        import '@embedmill/core/redis';
        import { openTracing } from '@embedmill/core/telemetry';
        await openTracing(${JSON.stringify({ otlpUrl })}, { service: 'test', log: console });
        console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));
        process.exit();`;
      const child = startNode(['--input-type=module', '--eval', script]);
      await child.waitForExit();
      // The API alone is prom-client's: it does nothing without the rest.
      return ['bullmq', 'bullmq-otel', '@opentelemetry/sdk-trace', '@opentelemetry/core'].filter((name) =>
        child.stdout.includes(`/node_modules/${name}/`),
      );
    };
    expect(await loaded(undefined)).toEqual(['bullmq']);
    expect(await loaded('http://127.0.0.1:9')).toContain('@opentelemetry/sdk-trace');
  });
});
