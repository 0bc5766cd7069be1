/** Labelled pairs in files, and the chart of a calibration. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate, randomFrom } from '@embedmill/analysis';
import { describe, expect, test } from 'vitest';
import { describeCalibration } from '../../../apps/cli/src/commands/calibrate/describe.ts';
import { drawCalibration } from '../../../apps/cli/src/commands/calibrate/plot.ts';
import { checkPlotPath, savePlot } from '../../../apps/cli/src/commands/calibrate/save-plot.ts';
import { scorePairs } from '../../../apps/cli/src/engine/embedder/score-pairs.ts';
import type { TextEmbedder } from '../../../apps/cli/src/engine/embedder/types.ts';
import { type PairFields, readLabelledPairs } from '../../../apps/cli/src/io/records/read-pairs.ts';
import { temporaryFolder } from '../../support/folder.ts';

const usual: PairFields = { a: 'a', b: 'b', label: 'label', sameFrom: null };

/** The pairs in a file with these contents. */
function pairsOf(name: string, contents: string, fields: Partial<PairFields> = {}) {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, contents);
  return readLabelledPairs(path, { ...usual, ...fields });
}

describe('labelled pairs', () => {
  test.each([
    ['1', '0'],
    ['true', 'FALSE'],
    ['Yes', 'no'],
    ['same', 'different'],
  ])('may be called %s and %s', async (same, different) => {
    expect(await pairsOf('p.csv', `a,b,label\nx,y,${same}\nx,z,${different}\n`)).toEqual([
      { a: 'x', b: 'y', same: true },
      { a: 'x', b: 'z', same: false },
    ]);
  });

  test('may have graded labels, other fields, and the values of JSON', async () => {
    const lines = '{"q":"x","r":"y","grade":4}\n{"q":"x","r":"z","grade":"3.9"}\n';
    const fields = { a: 'q', b: 'r', label: 'grade', sameFrom: 4 };
    expect((await pairsOf('p.jsonl', lines, fields)).map(({ same }) => same)).toEqual([true, false]);
    const flags = '{"a":"x","b":"y","label":true}\n{"a":"x","b":"z","label":0}\n';
    expect((await pairsOf('p.jsonl', flags)).map(({ same }) => same)).toEqual([true, false]);
  });

  test.each([
    ['a,b,label\nx,y,maybe\n', 'p.csv:2 has the "label" "maybe"; expected 1, true, yes, same or 0, false'],
    ['a,b,verdict\nx,y,1\n', 'p.csv:2 has no "label"; its fields are "a", "b", "verdict"'],
    ['a,b,label\nx,y,1\nx,z,1\n', /of 2 pairs in .* none is different/],
    ['a,b,label\n', 'has no pairs'],
  ])('%j are rejected', async (contents, words) => {
    await expect(pairsOf('p.csv', contents)).rejects.toThrow(words);
  });
});

test('pairs with a text without a vector are not scored', async () => {
  const embedder: TextEmbedder = {
    name: 'lengths',
    embed: async (texts) => ({ dim: 1, vectors: Float32Array.from(texts, (text) => Math.sign(text.length)) }),
    close: async () => {},
  };
  const pairs = [
    { a: 'x', b: 'y', same: true },
    { a: '', b: '', same: true },
    { a: 'x', b: '', same: false },
  ];
  expect(await scorePairs(pairs, embedder, () => {})).toEqual([1, null, null]);
});

const random = randomFrom(5);
const calibration = calibrate(
  Array.from({ length: 120 }, () => {
    const same = random.chance(0.4);
    return { score: random.next() * 0.7 + (same ? 0.3 : 0), same };
  }),
  { samples: 50 },
);

describe('the chart', () => {
  test('is an SVG that names each threshold, with the title as text', () => {
    const svg = drawCalibration(calibration, 'a <b> & c');
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toContain('a &lt;b&gt; &amp; c');
    expect(svg).toContain(`best F1: from ${calibration.bestF1.threshold.toFixed(3)}`);
    expect(svg.match(/<circle/g)).toHaveLength(3);
  });

  test('is saved in the format of its extension', async () => {
    const folder = temporaryFolder();
    const svg = drawCalibration(calibration, 'title');
    await savePlot(join(folder, 'p.svg'), svg);
    expect(readFileSync(join(folder, 'p.svg'), 'utf8')).toBe(`${svg}\n`);
    await savePlot(join(folder, 'p.png'), svg);
    const png = readFileSync(join(folder, 'p.png'));
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    // Width and height stand in the first chunk (PNG, 11.2.2), twice the size of the drawing.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1920, 928]);
  });

  test('is rejected for an invalid path before any work starts', () => {
    expect(() => checkPlotPath('p.pdf')).toThrow('must end in .svg or .png');
    expect(() => checkPlotPath('no/folder/p.svg')).toThrow('no folder');
  });
});

test('the description has every threshold with its interval, and the warnings', () => {
  const lines = describeCalibration(calibration, (look, text) => `${look}(${text})`);
  expect(lines[0]).toMatch(/^120 pairs, \d+ the same; average precision 0\.\d{3}$/);
  expect(lines.find((line) => line.startsWith('best F1'))).toMatch(
    /best F1 +0\.\d{3} \(0\.\d{3}–0\.\d{3}\) +0\.\d{3} \(/,
  );
  expect(lines.at(-1)).toBe(
    'warning(Warning: 120 pairs are few: the thresholds may move a lot with 200 or more.)',
  );
});
