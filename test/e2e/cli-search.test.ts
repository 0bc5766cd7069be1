/** `search`, `cluster` and `dedupe` with the built-in model on files of our own encoders. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines, startEmbedmill, startSharedEmbedmill } from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';

const cwd = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const rows = [
  { id: 'kettle', text: 'The kettle boils water in two minutes.' },
  { id: 'battery', text: 'The batteries died after a week.' },
  { id: 'towel', text: 'Soft towels that dry quickly.' },
  { id: 'blank', text: '   ' },
  { id: 'lamp', text: 'The lamp lights the whole room.' },
  { id: 'towel, again', text: 'Soft towels which dry quickly!' },
];

beforeAll(async () => {
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines(rows));
  const zeros = new Array(384).fill(0);
  for (const [name, vector] of Object.entries({ short: [1, 0], none: null, zeros })) {
    writeFileSync(join(cwd, `${name}.jsonl`), jsonLines([{ id: 'a', vector }]));
  }
  const embed = startSharedEmbedmill(['embed', 'in.jsonl', '--to', 'out.npy', '--quiet'], { cwd });
  expect(await embed.waitForExit()).toMatchObject({ code: 3 });
});

afterAll(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 5 }));

test('prints scores, ids and texts, nearest first', async () => {
  const args = ['search', 'out.npy', 'it ran out of power soon', '-k', '2', '--texts', 'in.jsonl'];
  const { code, stdout, stderr } = await embedmillHere(args, { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^ SCORE {2}MEANING {2}WORDS {2}ID +TEXT$/);
  expect(lines[1]).toMatch(/^0\.\d{4} +1 +- {2}battery +The batteries died after a week\.$/);
});

test('fuses meaning and words, and compares words alone on request', async () => {
  const args = ['search', 'out.npy', 'a TOWEL, which', '-k', '2', '--json'];
  const { stdout } = await embedmillHere(args, { cwd });
  const { mode, hits } = JSON.parse(stdout);
  expect([mode, hits[0]]).toMatchObject([
    'hybrid',
    {
      id: 'towel, again',
      rank: { words: 1 },
      words: ['which'],
      reason: expect.stringMatching(/1st by words: which$/),
    },
  ]);
  const words = await embedmillHere([...args, '--mode', 'words', '--texts', 'in.jsonl'], { cwd });
  expect(
    JSON.parse(words.stdout).hits.map(({ id, rank }: { id: string; rank: object }) => [id, rank]),
  ).toEqual([
    ['towel, again', { vector: null, words: 1 }],
    ['battery', { vector: null, words: 2 }],
  ]);
  const missing = await embedmillHere(['search', 'short.jsonl', 'x', '--mode', 'words'], { cwd });
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('no texts in "text"')]);
});

test('prints the text of the row found, not of another row with the same id', async () => {
  const vector = Array.from({ length: 384 }, (_, n) => Number(n === 0));
  const [nothing, same] = [null, 'again'];
  writeFileSync(
    join(cwd, 'twice.jsonl'),
    jsonLines([nothing, vector].map((each) => ({ id: same, vector: each }))),
  );
  writeFileSync(join(cwd, 'texts.jsonl'), jsonLines(['first', 'second'].map((text) => ({ id: same, text }))));
  const { stdout } = await embedmillHere(['search', 'twice.jsonl', 'x', '--texts', 'texts.jsonl'], { cwd });
  expect(stdout).toMatch(/again +second$/m);
  const args = ['cluster', 'twice.jsonl', '--k', '1', '--to', 'one.csv', '--texts', 'texts.jsonl', '--json'];
  const { topics } = JSON.parse((await embedmillHere(args, { cwd })).stdout);
  expect(topics).toMatchObject([{ representatives: [{ id: 'again', text: 'second' }] }]);
});

test.each([
  ['search', 'tea', '-k', '2'],
  ['cluster', '--to', 'a.csv', '--k', '2'],
])('%s reports a text file without any of the ids', async (command, ...rest) => {
  writeFileSync(join(cwd, 'other.csv'), 'id,sku,text\n1,kettle,x\n2,towel,y\n');
  const { code, stderr } = await embedmillHere([command, 'out.npy', ...rest, '--texts', 'other.csv'], {
    cwd,
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/"other\.csv" has no text with an id such as "\w+"; name the id field with --id/);
});

test('applies the treatment options to the question', async () => {
  writeFileSync(join(cwd, 'terms.csv'), 'term,wording\nSTQ,Soft towels that dry quickly\n');
  const args = [
    'search',
    'out.npy',
    '<b>STQ</b>.',
    '-k',
    '1',
    '--clean',
    'html',
    '--glossary',
    'terms.csv',
    '--mode',
    'vector',
  ];
  expect((await embedmillHere(args, { cwd })).stdout).toMatch(/^1\.0000 {2}towel$/m);
  const prompted = await embedmillHere([...args, '--prompt', 'Not so: '], { cwd });
  expect(prompted.stdout).toMatch(/^0\.\d{4} {2}towel/m);
});

test('answers lines of stdin from memory, as JSON with --json', async () => {
  const { code, stdout } = await embedmillHere(['search', 'out.npy', '-k', '1', '--json'], {
    cwd,
    input: 'Soft towels that dry quickly.\n\nhot water for tea\n',
  });
  expect(code).toBe(0);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toMatchObject([
    {
      question: rows[2]!.text,
      hits: [{ row: 2, id: 'towel', score: expect.closeTo(1, 5), text: rows[2]!.text }],
    },
    { question: 'hot water for tea', hits: [{ row: 0, id: 'kettle' }] },
  ]);
});

test('ends on Ctrl-C while waiting for a question', async () => {
  const search = startEmbedmill(['search', 'out.npy', '-k', '1'], { cwd, input: 'tea\n', keepsInput: true });
  await search.waitFor(/kettle/);
  search.kill('SIGINT');
  expect(await search.waitForExit()).toEqual({ code: 130, signal: null });
  expect(search.stderr).toContain('interrupted');
});

test('cluster writes the topic of each row, a summary of each topic, and its share by column', async () => {
  const args = [
    'cluster',
    'out.npy',
    '--k',
    '4',
    '--to',
    'topics.csv',
    '--texts',
    'in.jsonl',
    '--by',
    'text',
  ];
  const { code, stdout } = await embedmillHere([...args, '--json'], { cwd });
  expect(code).toBe(0);
  const { rows: clustered, missing, choice, topics, groups } = JSON.parse(stdout);
  expect([clustered, missing, choice, topics.length, groups]).toEqual([5, 1, 'given', 4, []]);
  expect(topics[0]).toMatchObject({ rows: 2, share: 0.4, terms: expect.arrayContaining(['soft towels']) });
  const lines = readFileSync(join(cwd, 'topics.csv'), 'utf8').trimEnd().split('\n');
  expect(lines[0]).toBe('id,topic,group,score,text');
  expect(lines.filter((line) => /^(towel|"towel, again"),0,,0\.9\d+,Soft towels /.test(line))).toHaveLength(
    2,
  );
  // One of the two towels stands for both.
  expect(readFileSync(join(cwd, 'topics.summary.csv'), 'utf8')).toMatch(
    /^0,,,2,0\.4000,0\.9\d{3},"[^"]*soft towels[^"]*",\d,"[^"]*",Soft towels (that|which) dry quickly[.!],,$/m,
  );
  expect(readFileSync(join(cwd, 'topics.by.csv'), 'utf8')).toMatch(
    /^text,topic,rows,share_of_value,share_of_topic\n(.*\n)*Soft towels that .*,0,1,1\.0000,0\.5000\n/,
  );
  // A second run shows the same, as a table.
  const bytes = readFileSync(join(cwd, 'topics.csv'));
  const table = await embedmillHere(args, { cwd });
  expect(table.stdout).toMatch(/^TOPIC +ROWS +SHARE +KEY TERMS +TYPICAL ROW\n +0 +2 +40\.0 % .*soft towels/);
  expect(readFileSync(join(cwd, 'topics.csv'))).toEqual(bytes);
});

test('dedupe lists near-duplicates, and keeps the first of each group', async () => {
  const { code, stdout } = await embedmillHere(
    ['dedupe', 'out.npy', '--to', 'same.csv', '--threshold', '0.9'],
    {
      cwd,
    },
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 group among 5 rows; 1 row could be dropped\n' });
  expect(readFileSync(join(cwd, 'same.csv'), 'utf8')).toMatch(
    /^group,id,keep,cosine,row,text\n0,towel,yes,1\.0000,3,Soft towels that .*\n0,"towel, again",no,0\.9\d{3},6,Soft .*\n$/,
  );
});

test('dedupe adapts its threshold to the unrelated texts of a model', async () => {
  const folder = join(cwd, 'cache', 'models', 'narrow');
  mkdirSync(folder, { recursive: true });
  const facts = { baseline: { mean: 0.84, spread: 0.03, pairs: 28 }, languages: ['English'] };
  writeFileSync(join(folder, 'embedmill.json'), JSON.stringify(facts));
  const dedupe = (...more: string[]) =>
    embedmillHere(['dedupe', 'out.npy', '--to', 'same.csv', '--json', ...more], {
      cwd,
      env: { EMBEDMILL_CACHE: join(cwd, 'cache') },
    });
  // 0.95 is 0.9448 of the way from 0.094 to 1 for the built-in model.
  expect(JSON.parse((await dedupe('--model', 'narrow')).stdout)).toMatchObject({ threshold: 0.9912 });
  expect(JSON.parse((await dedupe()).stdout)).toMatchObject({ threshold: 0.95 });
  expect(await dedupe('--model', 'unknown')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('the scores of "unknown" were not measured'),
  });
});

test.each([
  [['cluster', 'out.npy', '--to', 'topics.csv', '--k', '9'], '--k 9 exceeds the 5 rows with a vector'],
  [['dedupe', 'out.npy', '--to', 'same.txt'], 'must end in .csv'],
  [['search', 'short.jsonl', 'x'], 'has vectors of 2 floats, but all-MiniLM-L6-v2 int8 produces 384'],
  [['search', 'none.jsonl', 'x'], 'no line with a "vector"'],
  [['search', 'zeros.jsonl', 'x'], 'no row of "zeros.jsonl" has a vector'],
  [['search', 'gone.npy', 'x'], 'no vector file "gone.npy"'],
  [['search', 'in.jsonl', 'x'], 'in.jsonl:1 has the "vector" undefined'],
  [['search', 'out.npy', 'x', '--texts', 'gone.csv'], 'no input file "gone.csv"'],
])('%j is rejected with exit code 2', async (args, words) => {
  const { code, stdout, stderr } = await embedmillHere(args, { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

test('verify computes rows again with the same bytes, and lists those of other texts', async () => {
  const args = ['verify', 'out.npy', '--texts', 'in.jsonl', '--quiet'];
  expect(await embedmillHere(args, { cwd })).toMatchObject({
    code: 0,
    stdout: '✓ 5 rows computed again, with the same bytes\n',
  });
  const changed = rows.map((row) => (row.id === 'lamp' ? { ...row, text: `${row.text} Really.` } : row));
  writeFileSync(join(cwd, 'changed.jsonl'), jsonLines(changed));
  const other = await embedmillHere(['verify', 'out.npy', '--texts', 'changed.jsonl', '--json'], { cwd });
  expect(other.code).toBe(1);
  const found = JSON.parse(other.stdout);
  expect(found).toMatchObject({ compared: 5, identical: 4, different: [{ row: 4, id: 'lamp' }] });
  expect(found.minimumCosine).toBeGreaterThan(0.8);
  expect(found.minimumCosine).toBeLessThan(0.9999);
});
