/** How the map finds labels in ids. */

import { describe, expect, it } from 'vitest';
// Part of the pages, which no package exports.
import { groupByLabel } from '../../../apps/web/src/app/map/labels.ts';

describe('labels of ids', () => {
  it('are what stands before the number, the largest group first', () => {
    expect(groupByLabel(['lamp-1', 'kettle-00017', 'kettle-2', 'lamp_3', 'lamp 4', '9'])).toEqual({
      names: ['lamp', 'kettle', '(no label)'],
      groupOf: Int32Array.from([0, 1, 1, 0, 0, 2]),
    });
  });

  it.each([
    ['all ids are alike', ['r1', 'r2', 'r3']],
    ['every id is its own', Array.from({ length: 100 }, (_, i) => `${String.fromCodePoint(0x4e00 + i)}-1`)],
    ['there are no rows', []],
  ])('are none when %s', (_when, ids) => {
    expect(groupByLabel(ids)).toBeNull();
  });

  it('beyond seven share a group, unless there are just eight', () => {
    const ids = (labels: number) => Array.from({ length: labels }, (_, i) => `${'abcdefghijkl'[i]}-1`);
    expect(groupByLabel(ids(8))!.names).toHaveLength(8);
    const many = groupByLabel(ids(12))!;
    expect(many.names).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'others']);
    expect([...many.groupOf]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]);
  });
});
