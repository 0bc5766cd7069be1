/** The language signal on all surfaces but the page: API, report of a plan, metrics and command. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbedmillClient } from '@embedmill/client';
import { type RunInfo, unknownShare } from '@embedmill/contract';
import { expect, it } from 'vitest';
import { embedmill, jsonLines } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { laneForAll } from '../support/lane.ts';

const lane = laneForAll();

const TEXTS = {
  Chinese: ['电池一天都用不完。', '这双鞋穿起来很舒服。', '灯光太亮了，请换一个。', '毛巾很软，但是掉毛。'],
  Thai: ['แบตเตอรี่หมดเร็วมาก', 'รองเท้าคู่นี้ใส่สบาย', 'ไฟสว่างเกินไป', 'ผ้าขนหนูนุ่มมาก'],
  English: [
    'The battery died.',
    'These boots are warm.',
    'The lamp is too bright.',
    'Soft towels that dry very well 👍.',
  ],
};

const rowsOf = (language: keyof typeof TEXTS) =>
  Array.from({ length: 1000 }, (_, i) => ({ id: String(i), text: TEXTS[language][i % 4]! }));

async function embedRows(language: keyof typeof TEXTS): Promise<RunInfo> {
  const client = new EmbedmillClient({ url: lane.producer.url });
  const { id } = await client.createRun({ name: language });
  const response = await fetch(`${lane.producer.url}/v1/runs/${id}/rows?part=0`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: jsonLines(rowsOf(language)),
  });
  expect(response.status).toBe(201);
  await client.seal(id);
  await expect.poll(async () => (await client.getRun(id)).state, { timeout: 60_000 }).toBe('completed');
  return await client.getRun(id);
}

async function unknownInMetrics(): Promise<number> {
  const page = await (await fetch(`${lane.worker.url}/metrics`)).text();
  return Number(
    /embedmill_unknown_tokens_total\{lane="bulk",model="all-MiniLM-L6-v2"\} (\d+)/.exec(page)?.[1],
  );
}

it('is in the run and in the metrics, for 1,000 rows of each language', async () => {
  const english = await embedRows('English');
  expect(english).toMatchObject({ unknownTokens: 250, unknownScript: null, languageSignal: null });
  expect(await unknownInMetrics()).toBe(250);
  const chinese = await embedRows('Chinese');
  expect(chinese.languageSignal).toMatch(
    /^\d\d % of the tokens of these texts are unknown to all-MiniLM-L6-v2 \(mostly Chinese\); use --model multilingual$/,
  );
  expect(unknownShare(chinese)).toBeCloseTo(0.85, 2);
  expect(await unknownInMetrics()).toBe(250 + chinese.unknownTokens);
  const thai = await embedRows('Thai');
  // Each of these sentences is one unknown token between [CLS] and [SEP].
  expect(thai).toMatchObject({ tokens: 3000, specialTokens: 2000, unknownTokens: 1000 });
  expect(thai.languageSignal).toMatch(/^100 % of the tokens .* \(mostly Thai\)/);
});

it('is in the answer to one request', async () => {
  const response = await fetch(`${lane.producer.url}/v1/embed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ texts: ['电池不好', 'fine'] }),
  });
  expect(await response.json()).toMatchObject({
    outcomes: [{ verdict: 'ok', unknownTokens: 4, script: 'Chinese' }, { verdict: 'ok' }],
  });
});

it.each(['Chinese', 'Thai', 'English'] as const)('is in the plan of a file in %s', async (language) => {
  const response = await fetch(`${lane.producer.url}/v1/inspect?name=in.jsonl&complete=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: jsonLines(rowsOf(language)),
  });
  const { warnings } = (await response.json()) as { warnings: string[] };
  const expected = `100 % of the letters of the first texts are in scripts unknown to all-MiniLM-L6-v2 (mostly ${language}); use --model multilingual`;
  expect(warnings).toEqual(language === 'English' ? [] : [expected]);
  const path = join(temporaryFolder(), 'in.jsonl');
  writeFileSync(path, jsonLines(rowsOf(language)));
  const inspected = await embedmill(['inspect', path]);
  expect(inspected.stdout.includes(`! ${expected}`)).toBe(language !== 'English');
});

it('ends the output of embed, which stops at --max-unknown', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'thai.jsonl');
  writeFileSync(path, jsonLines(rowsOf('Thai')));
  const args = (...more: string[]) => [
    ...['embed', path, '--to', join(folder, 'thai.npy'), '--server', lane.producer.url],
    ...more,
  ];
  const stopped = await embedmill(args('--max-unknown', '5'));
  expect(stopped.code).toBe(1);
  expect(stopped.stderr).toMatch(
    /tokens of these texts are unknown to all-MiniLM-L6-v2 \(mostly Thai\).* Stopped after \d+ rows because of --max-unknown 5; raise it/,
  );
  const finished = await embedmill(args('--max-unknown', '100'));
  expect(finished.code).toBe(0);
  expect(finished.stderr.trimEnd().split('\n').at(-1)).toMatch(/^ {2}100 % of the tokens .*\(mostly Thai\)/);
});
