/** Near-duplicates of a run: compared all with all, or by topic. */

import { finish } from '@embedmill/analysis';
import { describe, expect, it } from 'vitest';
import { nearDuplicateSteps } from '../../../apps/producer/src/analysis/duplicates.ts';

/** Unit vectors at angles of a circle. */
function circle(angles: readonly number[]) {
  const vectors = new Float32Array(angles.length * 2);
  for (const [row, angle] of angles.entries()) vectors.set([Math.cos(angle), Math.sin(angle)], row * 2);
  return { rows: angles.length, dim: 2, vectors };
}

const oneTopic = (rows: number) => ({
  assignments: new Int32Array(rows),
  cosines: Float32Array.from({ length: rows }, (_, row) => row / rows),
});

describe('near-duplicates', () => {
  it('are groups of linked rows, largest first, with the similarity to the first row', () => {
    // Three rows near 0, two near 2, one alone.
    const found = finish(nearDuplicateSteps(circle([2, 0, 0.1, 4, 0.2, 2.05]), oneTopic(6), 0.99));
    expect([found.groupCount, found.rowsInGroups]).toEqual([2, 5]);
    expect(found.groups.map(({ rows, size }) => [size, rows.map(({ row }) => row)])).toEqual([
      [3, [1, 2, 4]],
      [2, [0, 5]],
    ]);
    expect(found.groups[0]!.rows.map(({ score }) => score)).toEqual([
      1,
      expect.closeTo(Math.cos(0.1)),
      expect.closeTo(Math.cos(0.2)),
    ]);
  });

  it('are searched within topics if there are many rows', () => {
    // Pairs of equal rows; the rows of a pair are in one topic, except for the first pair.
    const rows = 5_010;
    const matrix = circle(Array.from({ length: rows }, (_, row) => Math.floor(row / 2) * (Math.PI / rows)));
    const topicOf = (row: number) => (row === 0 ? 1 : Math.floor(row / 2) % 5);
    const assignments = Int32Array.from({ length: rows }, (_, row) => topicOf(row));
    const clustering = { assignments, cosines: new Float32Array(rows) };
    const found = finish(nearDuplicateSteps(matrix, clustering, 0.999_999_9));
    expect([found.groupCount, found.rowsInGroups]).toEqual([rows / 2 - 1, rows - 2]);
    expect(found.groups).toHaveLength(500);
    expect(found.groups[0]!.rows.map(({ row }) => row)).toEqual([2, 3]);
  });

  it('are compared by parts with similar scores if a topic is large', () => {
    // Equal rows have equal scores, however far apart they are in the run.
    const half = 3_000;
    const angles = Array.from({ length: half }, (_, row) => row * (Math.PI / half));
    const cosines = Float32Array.from({ length: 2 * half }, (_, row) => (row % half) / half);
    const clustering = { assignments: new Int32Array(2 * half), cosines };
    const found = finish(nearDuplicateSteps(circle([...angles, ...angles]), clustering, 0.999_999_9));
    expect(found.rowsInGroups).toBe(2 * half);
  });

  it('are none in no rows', () => {
    const found = finish(nearDuplicateSteps(circle([]), oneTopic(0), 0.95));
    expect(found).toEqual({ groups: [], groupCount: 0, rowsInGroups: 0 });
  });
});
