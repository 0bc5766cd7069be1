/** The analysis of a run on disk: what is not whole is not there, and leaves nothing. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AnalysisFiles, type StoredAnalysis } from '../../../packages/core/src/runs/stored-analysis.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { smallFolder } from '../../support/small-folder.ts';

const deps = { assertWritable: () => {} };

function analysisOf(rows: number): StoredAnalysis {
  return {
    header: {
      endedAt: '2026-11-28T00:00:00.000Z',
      requestedTopics: null,
      steps: [],
      topics: [],
      groups: [],
      duplicates: { threshold: 0.95, groups: [], groupCount: 0, rowsInGroups: 0 },
    },
    places: new Float32Array(2 * rows).fill(0.5),
    scores: new Float32Array(rows).fill(0.25),
    topicOf: new Int16Array(rows).fill(-1),
  };
}

it('is read as it was written, over what a killed process left', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'analysis.bin.draft'), 'half');
  const files = await AnalysisFiles.open(folder, deps);
  expect(await files.read()).toBeNull();
  await files.write(analysisOf(5));
  expect(await files.read()).toEqual(analysisOf(5));
  expect(readdirSync(folder)).toEqual(['analysis.bin']);
  expect(files.bytes).toBeGreaterThan(5 * 14);
});

it('keeps the earlier one and leaves no draft on a full disk', async ({ skip }) => {
  const folder = smallFolder(1);
  if (folder === null) return skip('mounting a small disk needs root');
  const files = await AnalysisFiles.open(folder, deps);
  await files.write(analysisOf(5));
  await expect(files.write(analysisOf(100_000))).rejects.toThrow(/ENOSPC/);
  expect(readdirSync(folder)).toEqual(['analysis.bin']);
  await files.rename('0'.repeat(24), 'Slow parcels');
  expect(await files.read()).toEqual(analysisOf(5));
});
