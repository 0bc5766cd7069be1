/** The plan of small tables, in which a single broken record weighs much. */

import { planReading } from '@embedmill/core/formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const PROSE = [
  'It fits well',
  'Broken, but they sent a new one',
  'The colour is nice; my son likes it',
  'Good, cheap and quick',
  'A size too small | sent back',
  'Würde ich wieder kaufen, danke',
  'She said "never again" and left',
];

/** A column: its name, and its value in a record. */
const COLUMNS: [name: string, value: (row: number) => string][] = [
  ['nr', (row) => String(row + 1)],
  ['stars', (row) => String((row * 7) % 5)],
  ['shop', (row) => ['north', 'south'][row % 2]!],
  ['bought on', (row) => `2026-11-${10 + row}`],
  ['price', (row) => `${row}.50`],
];

/** A table of some columns and one of prose, with broken records. */
const tables = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  ending: fc.boolean(),
  name: fc.constantFrom('text', 'comment', 'review body', 'Meinung'),
  others: fc.shuffledSubarray(COLUMNS, { minLength: 1 }),
  at: fc.nat({ max: 5 }),
  prose: fc.array(fc.constantFrom(...PROSE), { minLength: 1, maxLength: 12 }),
  /** Position of a broken record, and whether it is too long: text with a delimiter and without quotes. */
  broken: fc.option(fc.record({ row: fc.nat({ max: 11 }), isLong: fc.boolean() })),
});

test('splits small tables at their delimiter and proposes their prose, with a broken record', () => {
  fc.assert(
    fc.property(tables, ({ delimiter, lineEnd, ending, name, others, at, prose, broken }) => {
      const quoted = (field: string) =>
        field.includes(delimiter) || field.includes('"') ? `"${field.replaceAll('"', '""')}"` : field;
      const columns = [...others];
      columns.splice(at, 0, [name, (row) => quoted(prose[row]!)]);
      const records = prose.map((_, row) => columns.map(([, value]) => value(row)).join(delimiter));
      // One of a single record would leave nothing to judge by.
      const isBroken = broken !== null && records.length > 1;
      const row = (broken?.row ?? 0) % records.length;
      if (isBroken) records[row] = broken.isLong ? `${records[row]}${delimiter}more` : columns[0]![1](row);
      const header = columns.map(([column]) => column).join(delimiter);
      const text = [header, ...records].join(lineEnd) + (ending ? lineEnd : '');
      const sample = {
        name: 'small.csv',
        packing: 'none',
        bytes: Buffer.from(text),
        complete: true,
      } as const;
      const plan = planReading(sample, {});
      expect(plan.dialect).toEqual({ delimiter, quote: '"', header: true });
      expect(plan.problem?.fix ?? { textField: plan.textField }).toEqual({ textField: name });
      const chosen = planReading(sample, { textField: name });
      expect(chosen.problem).toBeNull();
      expect(chosen).toMatchObject({ records: prose.length, usable: prose.length - (isBroken ? 1 : 0) });
    }),
    { numRuns: 100, seed: 16 },
  );
});

test('leaves prose in one column whole, whatever marks it has', () => {
  const lines = fc.array(fc.constantFrom(...PROSE.filter((text) => !text.includes('"'))), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(lines, fc.constantFrom('text', 'comment'), (prose, name) => {
      const bytes = Buffer.from([name, ...prose].join('\n'));
      const plan = planReading({ name: 'small.csv', packing: 'none', bytes, complete: true }, {});
      expect(plan.columns.map((column) => column.name)).toEqual([name]);
      expect(plan.problem?.fix ?? { textField: 'text' }).toEqual({ textField: name });
    }),
    { numRuns: 100, seed: 16 },
  );
});
