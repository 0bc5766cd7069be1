/** Server-sent events of a run. */

import type { RunInfo } from '@embedmill/contract';
import { describe, expect, it } from 'vitest';
import { makeRows, startApi, type TestApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

interface Heard {
  event: string;
  run: RunInfo | null;
}

/** Follows a run and collects its events in `heard`. */
async function follow(api: TestApi, run: string) {
  const leaving = new AbortController();
  const response = await api.call('GET', `/v1/runs/${run}/events`, { signal: leaving.signal });
  const heard: Heard[] = [];
  const ended = (async () => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const messages = text.split('\n\n');
      text = messages.pop()!;
      for (const message of messages) {
        const fields = /^event: (.*)\ndata: (.*)$/.exec(message);
        heard.push(
          fields === null
            ? { event: message, run: null }
            : { event: fields[1]!, run: JSON.parse(fields[2]!) },
        );
      }
    }
  })();
  // A test that disconnects early sees the abort where it waits.
  ended.catch(() => {});
  return { response, heard, ended, leave: () => leaving.abort() };
}

describe('events of a run', () => {
  it('report its progress and end with it', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const { response, heard, ended } = await follow(api, id);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await until(() => heard.length === 1);
    expect(heard[0]).toMatchObject({ event: 'progress', run: { id, state: 'open', rows: { accepted: 0 } } });
    await api.send(id, 0, makeRows(50));
    await until(() => heard.at(-1)?.run?.rows.accepted === 50);
    await startHashWorker(api.redis);
    await api.call('POST', `/v1/runs/${id}/seal`);
    await ended;
    expect(heard.at(-1)).toMatchObject({ event: 'end', run: { state: 'completed', rows: { done: 50 } } });
    expect(heard.filter(({ event }) => event === 'end')).toHaveLength(1);
  });

  it('are sent at most once per interval, and only after a change', async () => {
    const api = await startApi({ limits: { progressIntervalMs: 100, eventKeepAliveMs: 60_000 } });
    const { id } = await api.create();
    const { heard } = await follow(api, id);
    const startedAt = Date.now();
    for (let part = 0; part < 30; part++) await api.send(id, part, makeRows(1));
    await until(() => heard.at(-1)?.run?.parts === 30);
    expect(heard.length).toBeLessThanOrEqual((Date.now() - startedAt) / 100 + 2);
    const before = heard.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(heard.length).toBe(before);
  });

  it('include comments as keep-alive', async () => {
    const api = await startApi({ limits: { eventKeepAliveMs: 60 } });
    const { id } = await api.create();
    const { heard } = await follow(api, id);
    await until(() => heard.some(({ event }) => event.startsWith(':')));
  });

  it.each(['cancel', 'delete'])('end when the run is ended by %s', async (how) => {
    const api = await startApi();
    const { id } = await api.create();
    const { heard, ended } = await follow(api, id);
    await until(() => heard.length === 1);
    await (how === 'cancel'
      ? api.call('POST', `/v1/runs/${id}/cancel`)
      : api.call('DELETE', `/v1/runs/${id}`));
    await ended;
    expect(heard.at(-1)).toMatchObject({ event: 'end', run: { state: 'cancelled' } });
  });

  it('of an ended run are a single end event', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.call('POST', `/v1/runs/${id}/cancel`);
    const { heard, ended } = await follow(api, id);
    await ended;
    expect(heard.map(({ event }) => event)).toEqual(['end']);
  });

  it('stop when their clients disconnect', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const run = api.collecting.runs.get(id);
    let looks = 0;
    const info = run.info.bind(run);
    run.info = () => {
      looks += 1;
      return info();
    };
    const clients = await Promise.all(Array.from({ length: 50 }, () => follow(api, id)));
    await until(() => clients.every(({ heard }) => heard.length > 0));
    for (const { leave } of clients) leave();
    await until(async () => (await api.connections()) === 0);
    looks = 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(looks).toBe(0);
  });
});
