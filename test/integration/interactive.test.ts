/** The interactive lane with the real model: HTTP → Redis → worker → answer. One producer and one worker serve all tests. */

import { describe, expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { laneForAll } from '../support/lane.ts';
import { AWKWARD_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';

const lane = laneForAll();

/** What `POST /v1/embed` answers. */
interface Answer {
  fingerprint: string;
  dim: number;
  vectors: (number[] | string | null)[];
  outcomes: { verdict: string; tokens: number; lostTokens: number; message?: string }[];
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

const post = (body: unknown, init: RequestInit = {}) =>
  fetch(`${lane.producer.url}/v1/embed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  });

async function embed(body: unknown): Promise<Answer> {
  const response = await post(body);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

describe('POST /v1/embed', () => {
  it('gives the vector that a bulk run gives, bit for bit', async () => {
    const texts = [...PLAIN_TEXTS, ...AWKWARD_TEXTS, longText(400)];
    const bulk = await embedInBulk(texts);
    const { vectors, dim, fingerprint, outcomes } = await embed({ texts, encoding: 'base64' });
    expect([dim, fingerprint]).toEqual([384, lane.worker.fingerprint]);
    expect(vectors).toEqual(bulk);
    expect(outcomes.at(-1)).toMatchObject({ verdict: 'truncated', tokens: 256 });
  });

  it('gives one text one vector, as numbers that read back as the same floats', async () => {
    const [text = ''] = PLAIN_TEXTS;
    const asFloats = await embed({ text });
    const asBase64 = await embed({ texts: [text], encoding: 'base64' });
    const bytes = Buffer.from(Float32Array.from(asFloats.vectors[0] as number[]).buffer);
    expect(bytes.toString('base64')).toBe(asBase64.vectors[0]);
    expect(asFloats.usage).toEqual({ tokens: asFloats.outcomes[0]?.tokens, lostTokens: 0 });
    expect(asFloats.timings.totalMs).toBeGreaterThanOrEqual(asFloats.timings.inferMs);
  });

  it('gives no vector for a text without tokens', async () => {
    const { vectors, outcomes } = await embed({ texts: ['', 'something'] });
    expect(vectors[0]).toBeNull();
    expect(vectors[1]).toHaveLength(384);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['empty', 'ok']);
  });
});

/** The vectors of a run of these texts, in base64. */
async function embedInBulk(texts: readonly string[]): Promise<string[]> {
  const call = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${lane.producer.url}${path}`, { method, ...init });
  await until(async () => (await call('GET', '/readyz')).ok);
  const { id } = (await (await call('POST', '/v1/runs')).json()) as { id: string };
  await call('POST', `/v1/runs/${id}/rows?part=0`, {
    headers: { 'content-type': 'application/x-ndjson' },
    body: linesOf(texts.map((text, row) => ({ id: row, text }))),
  });
  await call('POST', `/v1/runs/${id}/seal`);
  const stateOf = async () =>
    ((await (await call('GET', `/v1/runs/${id}`)).json()) as { state: string }).state;
  await until(async () => (await stateOf()) === 'completed', 20_000);
  const results = await (await call('GET', `/v1/runs/${id}/results?format=jsonl&encoding=base64`)).text();
  return results
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { vector: string }).vector);
}
