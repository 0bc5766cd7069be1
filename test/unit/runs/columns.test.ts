/** Kept columns: what is kept of a row, how numbers and dates are read, and which rows a condition selects. */

import { MAX_COLUMNS, type RowRead } from '@embedmill/contract';
import { readRows } from '@embedmill/core/formats';
import { applyCondition, type ColumnsRow, type DescribedColumn, keepColumns } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
// What no package exports: the parsers of values.
import { characters } from '../../../packages/core/src/runs/columns/describe.ts';
import { parseDate, parseNumber } from '../../../packages/core/src/runs/columns/parse.ts';

async function keep(
  input: string,
  format: 'csv' | 'jsonl',
  columns: readonly string[] | '*',
  textField = 'text',
): Promise<ColumnsRow[]> {
  async function* bytes() {
    yield Buffer.from(input);
  }
  const rows: RowRead[] = [];
  const read = readRows(bytes(), { format, textField, keepFields: true });
  for await (const block of keepColumns(read, { columns, textField, idField: 'id' })) rows.push(...block);
  return rows;
}

const columnsOf = async (...given: Parameters<typeof keep>) =>
  (await keep(...given)).map(({ columns }) => columns && { ...columns });

describe('kept columns', () => {
  it('are all but text and id, or those that are named', async () => {
    const csv = 'id,text,rating,shop\n1,good,5,Kiel\n2,bad,,Ulm\n';
    expect(await columnsOf(csv, 'csv', '*')).toEqual([{ rating: '5', shop: 'Kiel' }, { shop: 'Ulm' }]);
    expect(await columnsOf(csv, 'csv', ['rating'])).toEqual([{ rating: '5' }, undefined]);
  });

  it('that a table lacks are refused', async () => {
    await expect(keep('text,shop\ngood,Kiel\n', 'csv', ['rating'])).rejects.toMatchObject({
      code: 'missing-column',
      message: expect.stringContaining('"rating"'),
    });
  });

  it('of JSON are members by their paths, with exact integers and without nulls', async () => {
    const line =
      '{"id":1,"review":{"text":"good","stars":4,"tags":["a"],"vector":[0.5,1]},"ok":true,"none":null,"big":12345678901234567890}\n';
    expect(await columnsOf(line, 'jsonl', '*', 'review.text')).toEqual([
      { 'review.stars': 4, 'review.tags': '["a"]', ok: true, big: '12345678901234567890' },
    ]);
    expect(await columnsOf(line, 'jsonl', ['review.stars', 'nothing'], 'review.text')).toEqual([
      { 'review.stars': 4 },
    ]);
  });

  it('never refuse a row: long values are cut, and columns over the maximum are left out', async () => {
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, i]));
    const row = { text: 'good', long: 'ü'.repeat(5000), odd: '\ud800', ['n'.repeat(300)]: 1, ...wide };
    const [columns] = await columnsOf(`${JSON.stringify(row)}\n`, 'jsonl', '*');
    expect(Object.keys(columns!)).toHaveLength(MAX_COLUMNS);
    expect(columns!.long).toBe(`${'ü'.repeat(510)}…`);
    expect(columns!.odd).toBe('\ufffd');
    expect(columns).toHaveProperty('c0', 0);
    expect(columns).not.toHaveProperty('c99');
  });

  it('may be called like members of objects', async () => {
    const line = '{"text":"good","__proto__":"a","constructor":"b"}\n';
    const [columns] = (await keep(line, 'jsonl', '*')).map((row) => JSON.stringify(row.columns));
    expect(columns).toBe('{"__proto__":"a","constructor":"b"}');
  });
});

describe('values', () => {
  it.each([
    ['12', 12],
    [' -1.5e3 ', -1500],
    ['1,234,567.5', 1234567.5],
    [7, 7],
    ['0', 0],
    ['0.5', 0.5],
  ])('read %j as a number', (value, number) => expect(parseNumber(value)).toBe(number));

  it.each(['', '1,23', '00123', '12 kg', 'NaN', 'Infinity', '1e999', true, '0x10'])(
    'do not read %j as a number',
    (value) => expect(parseNumber(value)).toBeNaN(),
  );

  it.each([
    ['2025-03-04', '2025-03-04T00:00:00.000Z'],
    ['2025-03', '2025-03-01T00:00:00.000Z'],
    ['2025/3/4 17:05', '2025-03-04T17:05:00.000Z'],
    ['2025-03-04T17:05:09.25+02:00', '2025-03-04T15:05:09.250Z'],
    ['2025-03-04 17:05:09 UTC', '2025-03-04T17:05:09.000Z'],
    ['04.03.2025', '2025-03-04T00:00:00.000Z'],
    ['3/4/2025 1:30 PM', '2025-03-04T13:30:00.000Z'],
    ['4 March 2025', '2025-03-04T00:00:00.000Z'],
    ['04-Mar-2025', '2025-03-04T00:00:00.000Z'],
    ['March 4, 2025', '2025-03-04T00:00:00.000Z'],
    ['Tue, 04 Mar 2025 10:00:00 GMT', '2025-03-04T10:00:00.000Z'],
  ])('read %j as a date', (value, time) => expect(new Date(parseDate(value)).toISOString()).toBe(time));

  it('read the order of day and month as it is said', () => {
    expect(new Date(parseDate('03/04/2025', 'day-first')).toISOString()).toBe('2025-04-03T00:00:00.000Z');
    expect(parseDate('25/12/2025', 'month-first')).toBeNaN();
    expect(parseDate('25/12/2025', 'day-first')).not.toBeNaN();
  });

  it.each([
    '2025-02-30',
    '2025-13-01',
    '2025',
    '12',
    'version 2025-03-04',
    '4 Foo 2025',
    '2025-03-04T25:00',
    20250304,
  ])('do not read %j as a date', (value) => expect(parseDate(value)).toBeNaN());

  it('count characters, not UTF-16 units', () => expect(characters('a😀ü')).toBe(3));
});

describe('a condition', () => {
  const column = (kind: DescribedColumn['kind'], values: string[] = []): DescribedColumn => ({
    name: 'c',
    kind,
    source: 'input',
    distinct: 3,
    missing: 1,
    values,
    order: 'month-first',
  });
  const select = (...[described, packed, condition]: [DescribedColumn, number[], object]) => {
    const mask = new Uint8Array(packed.length).fill(1);
    const values = described.kind === 'category' ? Int32Array.from(packed) : Float64Array.from(packed);
    applyCondition(mask, described, values, condition);
    return [...mask].join('');
  };

  it('selects values of a category, by name or, if they are numbers, by size', () => {
    expect(select(column('category', ['a', 'b']), [0, 1, -1, 0], { in: ['a', 'x'] })).toBe('1001');
    expect(select(column('category', ['1', '3', '5']), [0, 1, 2, -1], { from: 3 })).toBe('0110');
  });

  it('selects numbers between bounds, inclusive; missing ones never', () => {
    expect(select(column('number'), [1, 2, 3, Number.NaN], { from: '2', to: 3 })).toBe('0110');
    expect(select(column('number'), [1, 2, 3, Number.NaN], { in: ['1', '3'] })).toBe('1010');
    expect(select(column('number'), [1, Number.NaN], {})).toBe('10');
  });

  it('selects dates up to the end of a day', () => {
    const times = [
      '2025-03-03T23:59:59Z',
      '2025-03-04T00:00:00Z',
      '2025-03-04T23:59:59Z',
      '2025-03-05T00:00:00Z',
    ];
    const range = { from: '2025-03-04', to: '2025-03-04' };
    expect(
      select(
        column('date'),
        times.map((time) => Date.parse(time)),
        range,
      ),
    ).toBe('0110');
  });

  it('with another kind of bound is refused', () => {
    expect(() => select(column('number'), [1], { from: 'tall' })).toThrow(/"tall"; expected a number/);
    expect(() => select(column('date'), [1], { to: 'soon' })).toThrow(/"soon"; expected a date/);
  });
});
