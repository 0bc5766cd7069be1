/** Grouping of ids by prefix, for the colours of the map. */

import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { groupByLabel } from '../../../apps/web/src/app/map/labels.ts';

describe('labels of ids', () => {
  it('are the text before the final number, largest group first', () => {
    expect(groupByLabel(['lamp-1', 'kettle-00017', 'kettle-2', 'lamp_3', 'lamp 4', '9'])).toEqual({
      names: ['lamp', 'kettle', '(no label)'],
      groupOf: Int32Array.from([0, 1, 1, 0, 0, 2]),
    });
  });

  it.each([
    ['all ids have the same prefix', ['r1', 'r2', 'r3']],
    [
      'every id has its own prefix',
      Array.from({ length: 100 }, (_, i) => `${String.fromCodePoint(0x4e00 + i)}-1`),
    ],
    ['there are no rows', []],
  ])('are not found if %s', (_when, ids) => {
    expect(groupByLabel(ids)).toBeNull();
  });

  it('share one group from the eighth on, unless there are exactly eight', () => {
    const ids = (labels: number) => Array.from({ length: labels }, (_, i) => `${'abcdefghijkl'[i]}-1`);
    expect(groupByLabel(ids(8))!.names).toHaveLength(8);
    const many = groupByLabel(ids(12))!;
    expect(many.names).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'others']);
    expect([...many.groupOf]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]);
  });
});
