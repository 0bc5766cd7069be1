/** The compatible APIs on a real producer and worker: one text has one vector in all, and the examples of docs/api.md work. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Ollama } from 'ollama';
import { describe, expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { laneForAll } from '../support/lane.ts';
import { openAiClient, readAnswers, requestLine, submitBatch, whenBatch } from '../support/openai-batch.ts';
import { AWKWARD_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';

const lane = laneForAll();
const MODEL = 'all-MiniLM-L6-v2';
const TEXTS = [...PLAIN_TEXTS, ...AWKWARD_TEXTS, longText(400)];

/** The vectors of these texts from a separate run. */
async function bulkVectors(texts: readonly string[]): Promise<Float32Array[]> {
  const { url } = lane.producer;
  await until(async () => (await fetch(`${url}/readyz`)).ok);
  const run = (await (await fetch(`${url}/v1/runs`, { method: 'POST' })).json()) as { id: string };
  const path = `${url}/v1/runs/${run.id}`;
  const headers = { 'content-type': 'application/x-ndjson' };
  const body = linesOf(texts.map((text) => ({ text })));
  await fetch(`${path}/rows?part=0`, { method: 'POST', headers, body });
  await fetch(`${path}/seal`, { method: 'POST' });
  await until(async () => ((await (await fetch(path)).json()) as { state: string }).state === 'completed');
  const lines = (await (await fetch(`${path}/results`)).text()).trim().split('\n');
  return lines.map((line) => Float32Array.from(JSON.parse(line).vector));
}

describe('a text', () => {
  it('has the same vector as in a bulk run, bit for bit, in every API', async () => {
    const expected = await bulkVectors(TEXTS);
    const { url } = lane.producer;
    const floats = (vectors: readonly number[][]) => vectors.map((vector) => Float32Array.from(vector));
    const client = openAiClient(url);
    for (const encoding of [undefined, 'float'] as const) {
      const given = { model: MODEL, input: TEXTS };
      const { data } = await client.embeddings.create(
        encoding === undefined ? given : { ...given, encoding_format: encoding },
      );
      expect(floats(data.map(({ embedding }) => embedding))).toEqual(expected);
    }
    const { embeddings } = await new Ollama({ host: url }).embed({ model: 'all-minilm', input: TEXTS });
    expect(floats(embeddings)).toEqual(expected);
    const tei = await fetch(`${url}/embed`, { method: 'POST', body: JSON.stringify({ inputs: TEXTS }) });
    expect(floats((await tei.json()) as number[][])).toEqual(expected);
    const batch = await submitBatch(
      client,
      TEXTS.map((text, i) => requestLine(`r${i}`, text)),
    );
    const done = await whenBatch(client, batch.id);
    const answers = await readAnswers(client, done.output_file_id);
    expect(floats(answers.map(({ response }) => response?.body.data[0].embedding))).toEqual(expected);
  });

  it('is rejected as too long only on request', async () => {
    const call = (truncate: string) =>
      fetch(`${lane.producer.url}/v1/embeddings`, {
        method: 'POST',
        body: JSON.stringify({ model: MODEL, input: longText(400), truncate }),
      });
    expect((await call('end')).status).toBe(200);
    const refused = await call('error');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('maximum context length is 256 tokens, however you requested 40');
  });
});

describe('token ids of Text Embeddings Inference', () => {
  it('are from the vocabulary of the model, without [CLS] and [SEP]', async () => {
    const post = async (path: string, body: object) =>
      (await fetch(`${lane.producer.url}${path}`, { method: 'POST', body: JSON.stringify(body) })).json();
    const [ids] = (await post('/tokenize', { inputs: PLAIN_TEXTS[0], add_special_tokens: false })) as {
      id: number;
    }[][];
    expect(await post('/embed', { inputs: [ids!.map(({ id }) => id)] })).toEqual(
      await post('/embed', { inputs: [PLAIN_TEXTS[0]] }),
    );
  });

  it('of a long text are those of its sentences', async () => {
    const tokenize = async (inputs: string[], special: boolean) => {
      const body = JSON.stringify({ inputs, add_special_tokens: special });
      const response = await fetch(`${lane.producer.url}/tokenize`, { method: 'POST', body });
      return ((await response.json()) as { id: number }[][]).map((tokens) => tokens.map(({ id }) => id));
    };
    const sentences = Array.from({ length: 900 }, (_, i) => PLAIN_TEXTS[i % PLAIN_TEXTS.length]!);
    const [whole] = await tokenize([sentences.join(' ')], true);
    expect(whole).toEqual([101, ...(await tokenize(sentences, false)).flat(), 102]);
  });

  it('outside the vocabulary are an error of the caller', async () => {
    const tei = await fetch(`${lane.producer.url}/embed`, {
      method: 'POST',
      body: JSON.stringify({ inputs: [[999_999]] }),
    });
    expect([tei.status, ((await tei.json()) as { error_type: string }).error_type]).toEqual([
      422,
      'Validation',
    ]);
  });
});

/** The shell examples of docs/api.md. */
const examples = [...readFileSync('docs/api.md', 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(
  ([, code], i): [number: number, code: string] => [i + 1, code!],
);

describe('the examples of docs/api.md,', () => {
  it('exist', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('work: number %i', async (_number, code) => {
    const { url } = lane.producer;
    await until(async () => (await fetch(`${url}/readyz`)).ok);
    const script = [
      'set -euo pipefail',
      `cd ${temporaryFolder()}`,
      'curl() { command curl --silent --show-error --fail-with-body "$@"; }',
      code.replaceAll('http://localhost:8080', url),
    ].join('\n');
    // Rejects with the output if a call is answered with a status of 400 or above.
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { timeout: 120_000 });
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/"error":[{"]/);
  });
});
