/** Rows of the Explore page: filters, counts across filters, order, and positions in the virtual table. */

import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { type ColumnValues, columnValuesOf } from '../../../apps/web/src/app/explore/column-values.ts';
import {
  areaMask,
  columnMask,
  crossCounts,
  crossFilter,
  rowMask,
  topicMask,
} from '../../../apps/web/src/app/explore/filter-rows.ts';
import { markedParts } from '../../../apps/web/src/app/explore/marked-text.ts';
import { orderRows } from '../../../apps/web/src/app/explore/row-order.ts';
import {
  areaHeight,
  fullTop,
  type RowList,
  renderedRows,
  scrollToShow,
} from '../../../apps/web/src/app/explore/virtual-rows.ts';

const topicOf = Int16Array.of(0, 1, 1, 0, -1, 1);
const country = columnValuesOf({ kind: 'category', values: ['fr', 'de'], codes: [0, 1, 0, 1, 1, -1] });
const price = columnValuesOf({ kind: 'number', numbers: [5, 1, null, 3, 2, 3] });
const all = new Uint8Array(6).fill(1);

describe('filters', () => {
  it('match values of a category, and numbers within both limits', () => {
    expect([...columnMask(country, { kind: 'in', values: ['de', 'unknown'] })]).toEqual([0, 1, 0, 1, 1, 0]);
    expect([...columnMask(price, { kind: 'range', from: 2, to: 3 })]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...columnMask(price, { kind: 'range', from: null, to: 2 })]).toEqual([0, 1, 0, 0, 1, 0]);
  });

  it('match nothing if they are of another kind than the column', () => {
    expect([...columnMask(price, { kind: 'in', values: ['3'] })]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...columnMask(country, { kind: 'range', from: 0, to: 9 })]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('match the rows inside a lasso, also one with a hollow', () => {
    const points = Float32Array.of(1, 1, 3, 1, 5, 1, 3, 3, Number.NaN, Number.NaN, 9, 9);
    // A square from 0 to 6 with a notch from above to (3, 2).
    expect([...areaMask(points, [0, 0, 6, 0, 6, 6, 3, 2, 0, 6])]).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('combine, and count what each filter would show without itself', () => {
    const crossed = crossFilter(6, [
      { key: 'topics', passes: topicMask(topicOf, [1]) },
      { key: 'column.country', passes: columnMask(country, { kind: 'in', values: ['de'] }) },
    ]);
    expect([...crossed.mask]).toEqual([0, 1, 0, 0, 0, 0]);
    expect(crossed.count).toBe(1);
    // Of the topics: the German rows. Of the countries: the rows of topic 1. Of a third filter: the rows of both.
    expect([...crossCounts(crossed, 'topics', topicOf, 2)]).toEqual([1, 1]);
    const codes = (country as Extract<ColumnValues, { kind: 'category' }>).codes;
    expect([...crossCounts(crossed, 'column.country', codes, 2)]).toEqual([1, 1]);
    expect([...crossCounts(crossed, 'column.other', codes, 2)]).toEqual([0, 1]);
  });

  it('show all rows if there are none', () => {
    const crossed = crossFilter(6, []);
    expect(crossed.count).toBe(6);
    expect([...crossCounts(crossed, 'topics', topicOf, 2)]).toEqual([2, 3]);
  });
});

describe('the order of rows', () => {
  it.each([
    ['as in the file', { by: 'row' } as const, [0, 1, 2, 3, 4, 5]],
    [
      'most typical first',
      { by: 'score', scores: Float32Array.of(0.1, 0.9, 0.5, 0.9, Number.NaN, 0.2) } as const,
      [1, 3, 2, 5, 0, 4],
    ],
    [
      'by number, missing ones last',
      { by: 'column', values: price, isDescending: false } as const,
      [1, 4, 3, 5, 0, 2],
    ],
    [
      'by number, descending',
      { by: 'column', values: price, isDescending: true } as const,
      [0, 3, 5, 4, 1, 2],
    ],
    ['by name', { by: 'column', values: country, isDescending: false } as const, [1, 3, 4, 0, 2, 5]],
    ['best hit first', { by: 'hits', rows: [4, 0, 2] } as const, [4, 0, 2]],
  ])('is %s', (_, order, expected) => {
    expect([...orderRows(all, order)]).toEqual(expected);
  });

  it('is nearest to the middle of the shown rows first', () => {
    const points = Float32Array.of(0, 0, 10, 0, 5, 2, 4, 0, Number.NaN, Number.NaN, 100, 100);
    expect([...orderRows(rowMask(6, [0, 1, 2, 3, 4]), { by: 'center', points })]).toEqual([3, 2, 0, 1, 4]);
  });

  it('leaves out hits that another filter hides', () => {
    expect([...orderRows(rowMask(6, [0, 4]), { by: 'hits', rows: [5, 4, 0] })]).toEqual([4, 0]);
  });
});

describe('the virtual table', () => {
  const small: RowList = { count: 1000, rowPx: 60, open: -1, openPx: 0, viewportPx: 600 };
  const large: RowList = { ...small, count: 1_000_000 };

  it('renders the visible rows with a margin', () => {
    expect(areaHeight(small)).toBe(60_000);
    expect(renderedRows(small, 6000)).toEqual({ first: 94, end: 117, shiftPx: 0 });
  });

  it.each([
    ['1,000 rows', small],
    ['1,000,000 rows, more than a browser can scroll', large],
    ['an open row', { ...large, open: 500_000, openPx: 300 }],
  ])('reaches every row of %s', (_, list) => {
    const end = areaHeight(list) - list.viewportPx;
    expect(areaHeight(list)).toBeLessThan(17_000_000);
    expect(renderedRows(list, 0).first).toBe(0);
    expect(renderedRows(list, end).end).toBe(list.count);
    for (const position of [0, 1, 499_999, 500_000, 500_001, list.count - 1].filter((n) => n < list.count)) {
      const scrollTop = scrollToShow(list, position, end / 3);
      const { first, end: last, shiftPx } = renderedRows(list, scrollTop);
      expect(position).toBeGreaterThanOrEqual(first);
      expect(position).toBeLessThan(last);
      const top = fullTop(list, position) + shiftPx - scrollTop;
      expect(top).toBeGreaterThanOrEqual(-0.01);
      expect(top + list.rowPx).toBeLessThanOrEqual(list.viewportPx + 0.01);
    }
  });

  it('does not scroll to a row that is visible', () => {
    expect(scrollToShow(small, 105, 6000)).toBe(6000);
  });

  it('moves the rows below an open one', () => {
    const list = { ...small, open: 3, openPx: 200 };
    expect([2, 3, 4].map((position) => fullTop(list, position))).toEqual([120, 180, 440]);
    expect(areaHeight(list)).toBe(60_200);
  });
});

describe('marked words', () => {
  it('split a text without losing any of it', () => {
    const parts = markedParts('red cup, red', [
      [0, 3],
      [9, 12],
    ]);
    expect(parts.map(({ text, isMarked }) => (isMarked ? `[${text}]` : text)).join('')).toBe(
      '[red] cup, [red]',
    );
  });

  it('ignore positions outside the text', () => {
    expect(markedParts('ab', [[1, 9]])).toEqual([{ text: 'ab', isMarked: false }]);
  });
});
