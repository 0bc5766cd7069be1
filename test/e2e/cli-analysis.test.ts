/** `calibrate` and `eval` with the built-in model. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { embedmill, jsonLines } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';

const pairs = [
  ['The kettle boils fast.', 'This kettle heats water quickly.', 1],
  ['The battery died after a week.', 'After seven days the battery was dead.', 1],
  ['Soft towels.', 'These towels feel very soft.', 1],
  ['The lamp is too bright.', 'My lamp shines far too brightly.', 1],
  ['The kettle boils fast.', 'The lamp is too bright.', 0],
  ['Soft towels.', 'After seven days the battery was dead.', 0],
  ['The battery died after a week.', 'These towels feel very soft.', 0],
  ['My lamp shines far too brightly.', 'This kettle heats water quickly.', 0],
] as const;

test('calibrate finds the threshold between same and different pairs', async () => {
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'pairs.csv'),
    `a,b,label\n${pairs.map(([a, b, label]) => `${a},${b},${label}`).join('\n')}\n`,
  );
  const { code, stdout, stderr } = await embedmill(
    ['calibrate', 'pairs.csv', '--json', '--plot', 'plot.svg', '--plot', 'plot.png'],
    { cwd },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const found = JSON.parse(stdout);
  expect(found).toMatchObject({
    model: 'all-MiniLM-L6-v2 int8',
    pairs: 8,
    same: 4,
    bestF1: { f1: 1, precision: 1, recall: 1 },
  });
  expect(found.warnings).not.toEqual([]);
  expect([existsSync(join(cwd, 'plot.svg')), existsSync(join(cwd, 'plot.png'))]).toEqual([true, true]);
});

test('eval measures a model on pairs and on labels, as a table', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'sts.jsonl'), jsonLines(pairs.map(([a, b, score]) => ({ a, b, score }))));
  const texts = pairs.flatMap(([a, b, label]) => (label === 1 ? [a, b] : []));
  const rows = texts.map((text) => ({
    text,
    label: /kettle|battery|towel|lamp/i.exec(text)?.[0].toLowerCase(),
  }));
  writeFileSync(join(cwd, 'labels.jsonl'), jsonLines(rows));
  const args = ['eval', '--sts', 'sts.jsonl', '--cluster', 'labels.jsonl', '--model', 'int8', '--quiet'];
  const { code, stdout, stderr } = await embedmill(args, { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // Pairs that are the same have the larger cosines, so the ranks agree as far as two scores can.
  expect(stdout).toMatch(/\| sts +\| sts\.jsonl: 8 pairs +\| Spearman +\| +0\.87\d\d \|/);
  expect(stdout).toMatch(/\| clustering \| labels\.jsonl: 8 texts, 4 labels \| V-measure +\| +1\.0000 \|/);
});

test.each([
  [['eval'], 'no task given'],
  [['eval', '--model', 'int7', '--sts', 'x.jsonl'], 'no model "int7"'],
  [['calibrate', 'gone.csv', '--plot', 'p.pdf'], '.svg or .png'],
  [['calibrate', 'gone.csv', '--want-recall', '2'], 'above 0, up to 1'],
])('%j is rejected with exit code 2', async (args, words) => {
  const { code, stdout, stderr } = await embedmill(args, { cwd: temporaryFolder() });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});
