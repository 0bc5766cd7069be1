/** Static models through the whole stack: distilled, installed, embedded by a worker, verified and searched. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { expect, test } from 'vitest';
import { embedmill, jsonLines } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { smallBertFolder } from '../unit/embed/small-bert.ts';

test('a distilled model is added by name, and workers embed with it', async () => {
  const cwd = temporaryFolder();
  const env = { EMBEDMILL_CACHE: join(cwd, 'cache') };
  const run = (...args: string[]) => embedmill(args, { cwd, env });
  const distilled = await run('model', 'distill', smallBertFolder(), '--to', 'made', '--dim', '2', '--json');
  expect(distilled.code, distilled.stderr).toBe(0);
  expect(JSON.parse(distilled.stdout)).toEqual({ folder: join(cwd, 'made'), tokens: 7, dim: 2 });
  expect(await run('model', 'distill', 'made', '--to', 'made')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--to "made" exists'),
  });
  expect(await run('model', 'distill', './made', '--to', 'again')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('made is a static model already'),
  });
  expect(await run('model', 'add', 'made', '--name', 'shades')).toMatchObject({ code: 0 });

  const rows = ['red', 'green blue', 'violet'].map((text, n) => ({ id: `row${n}`, text }));
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines(rows));
  const embedded = await run('embed', 'in.jsonl', '--to', 'out.jsonl', '--model', 'shades', '--quiet');
  // Exit code 3: one row has no known token.
  expect(embedded.code, embedded.stderr).toBe(3);
  const vectors = readFileSync(join(cwd, 'out.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).vector);
  expect(vectors[2]).toBeNull();
  const embedder = await Embedder.open(
    await prepareModel({ model: join(cwd, 'made'), precision: 'int8', cacheDir: env.EMBEDMILL_CACHE }),
  );
  for (const n of [0, 1]) {
    const vector = new Float32Array(2);
    await embedder.embed(rows[n]!.text, vector, 0);
    expect(Float32Array.from(vectors[n])).toEqual(vector);
  }
  await embedder.close();
  const verified = await run('verify', 'out.jsonl', '--texts', 'in.jsonl', '--model', 'shades');
  expect(verified.code, verified.stderr).toBe(0);
  const found = await run(
    'search',
    'out.jsonl',
    'Green, blue!',
    '-k',
    '1',
    '--model',
    'shades',
    '--mode',
    'vector',
  );
  expect(found.stdout).toMatch(/^1\.0000 {2}row1$/m);

  // The better model decides over what the static one found; the texts are those of the file.
  const better = smallBertFolder();
  const search = ['search', 'out.jsonl', 'red', '--model', 'shades', '--rerank', better, '-k', '1', '--json'];
  const reranked = await run(...search);
  expect(reranked.code, reranked.stderr).toBe(0);
  expect(JSON.parse(reranked.stdout)).toMatchObject({
    ...{
      question: 'red',
      decidedBy: expect.stringMatching(/ int8$/),
      firstPass: 'shades int8',
      candidates: 100,
    },
    hits: [{ id: 'row0', text: 'red', score: expect.closeTo(1, 5), firstScore: expect.closeTo(1, 5) }],
  });
  const dedupe = ['dedupe', 'out.jsonl', '--to', 'same.csv', '--rerank', better, '--threshold', '1e-9'];
  const decided = await run(...dedupe, '--first-threshold', '1e-9', '--json');
  expect(decided.code, decided.stderr).toBe(0);
  expect(JSON.parse(decided.stdout)).toMatchObject({ rows: 2, missing: 1, firstThreshold: 1e-9 });
  const without = await run(...dedupe, '--columns', 'none', '--text', 'body', '--first-threshold', '1e-9');
  expect(without).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"out.jsonl" has the columns "text"'),
  });
});
