/** The search command over files that the embed command's encoders wrote, with the model itself. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embedmill, jsonLines, startSharedEmbedmill } from '../support/embedmill.ts';

const cwd = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const rows = [
  { id: 'kettle', text: 'The kettle boils water in two minutes.' },
  { id: 'battery', text: 'The batteries died after a week.' },
  { id: 'towel', text: 'Soft towels that dry quickly.' },
  { id: 'blank', text: '   ' },
  { id: 'lamp', text: 'The lamp lights the whole room.' },
];

beforeAll(async () => {
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines(rows));
  const embed = startSharedEmbedmill(['embed', 'in.jsonl', '--to', 'out.npy', '--quiet'], { cwd });
  expect(await embed.waitForExit(120_000)).toMatchObject({ code: 3 });
});

afterAll(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 5 }));

test('prints scores, ids and texts, the nearest first', async () => {
  const args = ['search', 'out.npy', 'it ran out of power soon', '-k', '2', '--texts', 'in.jsonl'];
  const { code, stdout, stderr } = await embedmill(args, { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^0\.\d{4} {2}battery +The batteries died after a week\.$/);
});

test('answers the lines of stdin from memory, as JSON with --json', async () => {
  const { code, stdout } = await embedmill(['search', 'out.npy', '-k', '1', '--json'], {
    cwd,
    input: 'Soft towels that dry quickly.\n\nhot water for tea\n',
  });
  expect(code).toBe(0);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toMatchObject([
    { question: rows[2]!.text, hits: [{ row: 2, id: 'towel', score: expect.closeTo(1, 5), text: null }] },
    { question: 'hot water for tea', hits: [{ row: 0, id: 'kettle' }] },
  ]);
});

test.each([
  [['search', 'gone.npy', 'x'], 'no file of vectors "gone.npy"'],
  [['search', 'in.jsonl', 'x'], 'in.jsonl:1 has the "vector" undefined'],
  [['search', 'out.npy', 'x', '--texts', 'gone.csv'], 'no input file "gone.csv"'],
])('%j is refused with exit code 2', async (args, words) => {
  const { code, stdout, stderr } = await embedmill(args, { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});
