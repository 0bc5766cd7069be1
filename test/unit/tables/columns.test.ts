/** Columns on their way from the rows of an input to its output. */

import { join } from 'node:path';
import type { FieldsRow } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { joinColumns, outputColumns } from '../../../apps/cli/src/io/columns/join.ts';
import { type ColumnChoice, ColumnSpool } from '../../../apps/cli/src/io/columns/spool.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { unitRows } from '../sinks/vectors.ts';

const row = (json: Record<string, unknown>): FieldsRow => ({
  ok: true,
  line: 1,
  id: null,
  text: 'text',
  fields: { json },
});

/** Writes the slices; returns the columns and their values. */
async function spooled(slices: FieldsRow[][], choice: Exclude<ColumnChoice, 'none'> = 'all') {
  const spool = new ColumnSpool(join(temporaryFolder(), 'columns'), choice);
  const source = async function* () {
    yield* slices;
  };
  const passed: FieldsRow[] = [];
  for await (const slice of spool.record(source())) passed.push(...slice);
  expect(passed).toEqual(slices.flat());
  const values: unknown[][] = spool.columns.map(() => []);
  for await (const block of spool.read()) {
    for (const [n, column] of block.values.entries()) values[n]?.push(...column);
  }
  return Object.fromEntries(spool.columns.map(({ name, type }, n) => [name, { type, values: values[n] }]));
}

describe('columns of JSON rows', () => {
  test('have the types that hold the values of all rows, whichever slice they are in', async () => {
    const columns = await spooled([
      [row({ int: 1, num: 1, big: 2n ** 60n, list: [1], mixed: 'a' }), row({ int: null, deep: { a: 1 } })],
      [{ ok: false, line: 3, id: null, code: 'invalid-json', message: '' }],
      [row({ int: 3, num: 2.5, list: [0.5, null], mixed: 5, deep: { b: 'x' }, late: true })],
    ]);
    expect(columns).toEqual({
      int: { type: { kind: 'integer', bits: 64, signed: true }, values: [1n, null, null, 3n] },
      num: { type: { kind: 'float', bits: 64 }, values: [1, null, null, 2.5] },
      big: { type: { kind: 'integer', bits: 64, signed: true }, values: [2n ** 60n, null, null, null] },
      list: {
        type: { kind: 'list', item: { kind: 'float', bits: 64 } },
        values: [[1], null, null, [0.5, null]],
      },
      mixed: { type: { kind: 'json' }, values: ['a', null, null, 5] },
      deep: {
        type: {
          kind: 'struct',
          fields: [
            { name: 'a', type: { kind: 'integer', bits: 64, signed: true } },
            { name: 'b', type: { kind: 'string' } },
          ],
        },
        values: [null, { a: 1n, b: null }, null, { a: null, b: 'x' }],
      },
      late: { type: { kind: 'boolean' }, values: [null, null, null, true] },
    });
  });

  test('are only those chosen, and may have names such as __proto__', async () => {
    const columns = await spooled([[row(JSON.parse('{"__proto__":1,"a":2,"b":3}'))]], ['__proto__', 'b']);
    expect(Object.getOwnPropertyNames(columns)).toEqual(['__proto__', 'b']);
  });

  test('become JSON text if they are used as dictionaries with very many keys', async () => {
    const object = (n: number) => Object.fromEntries(Array.from({ length: 150 }, (_, k) => [`${n}-${k}`, k]));
    const { counts } = await spooled([[row({ counts: object(1) })], [row({ counts: object(2) })]]);
    expect(counts).toEqual({ type: { kind: 'json' }, values: [object(1), object(2)] });
  });
});

describe('names in the output', () => {
  const named = (names: string[], idField: string | null) =>
    outputColumns(
      names.map((name) => ({ name, type: { kind: 'string' } as const })),
      { idField, taken: ['id', 'vector'] },
    ).map(({ name }) => name);

  test('leave out the id column if it is called id', () => {
    expect(named(['id', 'text'], 'id')).toEqual(['text']);
    expect(named(['sku', 'text'], 'sku')).toEqual(['sku', 'text']);
  });

  test('get the first free number if the output has a column of this name in any case', () => {
    expect(named(['id', 'Vector', 'vector_1', 'vector'], 'sku')).toEqual([
      'id_1',
      'Vector_2',
      'vector_1',
      'vector_3',
    ]);
  });
});

test('vectors and columns are joined row by row, however both are sliced', async () => {
  const rows = unitRows(100, 4);
  const vectors = async function* () {
    for (let from = 0; from < 100; from += 7) {
      const to = Math.min(100, from + 7);
      yield {
        ids: rows.ids.slice(from, to),
        dim: 4,
        vectors: rows.vectors.subarray(from * 4, to * 4),
        present: rows.present.subarray(from, to),
      };
    }
  };
  const blocks = async function* () {
    for (let from = 0; from < 100; from += 33) {
      const values = Array.from({ length: Math.min(33, 100 - from) }, (_, n) => from + n);
      yield { rows: values.length, values: [values] };
    }
  };
  const columns = [{ name: 'n', type: { kind: 'float', bits: 64 }, position: 0 }] as const;
  const joined = [];
  for await (const slice of joinColumns(vectors(), blocks(), columns)) joined.push(slice);
  expect(joined.flatMap(({ ids }) => ids)).toEqual(rows.ids);
  expect(joined.flatMap((slice) => [...slice.vectors])).toEqual([...rows.vectors]);
  expect(joined.flatMap((slice) => slice.columns?.[0] ?? [])).toEqual(
    Array.from({ length: 100 }, (_, n) => n),
  );
});
