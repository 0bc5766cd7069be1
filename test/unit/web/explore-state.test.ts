/** State of the Explore page in the address. */

import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import {
  areaOf,
  decodeState,
  type ExploreState,
  encodeState,
  INITIAL_STATE,
  isFiltered,
} from '../../../apps/web/src/app/explore/explore-state.ts';

const FULL: ExploreState = {
  view: 'compare',
  panel: 'filters',
  topics: [0, 12],
  search: 'rain & "hood" 50 % = 半分?',
  like: 7,
  filters: {
    'price & tax': { kind: 'range', from: 1.5, to: null },
    country: { kind: 'in', values: ['', 'Côte d’Ivoire', 'a.b=c&d'] },
    day: { kind: 'range', from: 1_700_000_000_000, to: 1_700_086_399_999 },
  },
  area: [0.5, -1, 1.25, 0, -0.001, 2],
  color: 'column.price & tax',
  sort: '-column.day',
  row: 199_999,
  by: 'country',
  map: { x: -0.25, y: 0.125, scale: 12.5 },
};

describe('the state of the Explore page', () => {
  it('is the same after its way through the address', () => {
    expect(decodeState(encodeState(FULL))).toEqual(FULL);
  });

  it('leaves the address empty at first', () => {
    expect(encodeState(INITIAL_STATE)).toBe('');
    expect(decodeState('')).toEqual(INITIAL_STATE);
  });

  it.each([
    'view=nothing',
    'topics=a.b',
    'topics=-1.2x',
    'like=1.5',
    'row=-3',
    'area=1_2_3',
    'map=1_2',
    'map=0_0_0',
    'from.x=abc',
    'unknown=1',
  ])('ignores %s', (query) => {
    expect(decodeState(query)).toEqual(INITIAL_STATE);
  });

  it('keeps a lasso short enough for an address, and round', () => {
    const circle = Array.from({ length: 1000 }, (_, n): [number, number] => [
      Math.cos((n * Math.PI) / 500),
      Math.sin((n * Math.PI) / 500),
    ]);
    const area = areaOf(circle);
    expect(area.length).toBeLessThanOrEqual(96);
    expect(encodeState({ ...INITIAL_STATE, area }).length).toBeLessThan(1000);
    for (let n = 0; n < area.length; n += 2) expect(Math.hypot(area[n]!, area[n + 1]!)).toBeCloseTo(1, 3);
  });

  it('counts as filtered by anything that hides rows, and by nothing else', () => {
    expect(isFiltered({ ...INITIAL_STATE, color: 'column.a', row: 3, view: 'trend', sort: 'row' })).toBe(
      false,
    );
    for (const part of ['topics', 'search', 'like', 'filters', 'area'] as const) {
      expect(isFiltered({ ...INITIAL_STATE, [part]: FULL[part] }), part).toBe(true);
    }
  });
});
