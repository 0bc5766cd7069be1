/** Tests CSV and TSV: an invalid record does not affect its neighbours. */
import { EmbedmillError } from '@embedmill/contract';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brief, firstBad, readAll } from './read.ts';

const csv = { format: 'csv' } as const;

describe('rows of CSV', () => {
  test('come from the named columns, in any order', async () => {
    const rows = await readAll('stars,text,id\n5,Sturdy chair.,c1\n1,Wobbles.,\n', csv);
    expect(rows).toEqual([
      { ok: true, line: 2, id: 'c1', text: 'Sturdy chair.' },
      { ok: true, line: 3, id: null, text: 'Wobbles.' },
    ]);
  });

  test('may hold delimiters, quotes and line ends in quoted fields', async () => {
    const rows = await readAll('id,text\na,"one, two\r\nand ""three"""\nb,"four"\r\n', csv);
    expect(brief(rows)).toEqual(['one, two\r\nand "three"', 'four']);
    expect(rows.map((row) => row.line)).toEqual([2, 4]);
  });

  test('treat a quote inside an unquoted field as text', async () => {
    expect(brief(await readAll('id,text\n1,a 12" pan\n2, "said" he\n', csv))).toEqual([
      'a 12" pan',
      ' "said" he',
    ]);
  });

  test('need no id column unless one is named', async () => {
    expect((await readAll('text\nhello\n', csv))[0]?.id).toBeNull();
    await expect(readAll('text\nhello\n', { ...csv, idField: 'sku' })).rejects.toThrow('no column "sku"');
  });

  test('skip but count blank lines, and need no final line end', async () => {
    const rows = await readAll('\ufeff\r\ntext,id\r\n\r\nhello,1\r\n\r\nbye,2', csv);
    expect(rows.map((row) => [row.line, row.id])).toEqual([
      [4, '1'],
      [6, '2'],
    ]);
  });

  test('fail one by one for a wrong number of columns', async () => {
    const rows = await readAll('id,text\n1,a\n2\n3,b,c\n4,d\n', csv);
    expect(brief(rows)).toEqual(['a', '!wrong-columns', '!wrong-columns', 'd']);
    expect(firstBad(rows.slice(2)).message).toBe(
      'the record has 3 columns (["3","b","c"]); expected 2 as in the header',
    );
  });

  test.each([
    ['closed by a later row', 'id,text\n1,"good\n2,fine\n3,"also fine"\n4,ok\n'],
    ['followed by text', 'id,text\n1,"good" pan\n2,fine\n3,"also fine"\n4,ok\n'],
    ['closed by a lone CR', 'id,text\n1,"good"\rx\n2,fine\n3,"also fine"\n4,ok\n'],
  ])('lose one line to a quoted field that is %s', async (_, input) => {
    const rows = await readAll(input, csv);
    expect(brief(rows)).toEqual(['!unclosed-quote', 'fine', 'also fine', 'ok']);
    expect(rows.map((row) => row.line)).toEqual([2, 3, 4, 5]);
  });

  test('lose one line to an unclosed quote at the end of the input', async () => {
    const rows = await readAll(
      'id,text\n1,ok\n2,"never closed\n3,fine\n4,"closed"\n5,"open again\n6,six',
      csv,
    );
    expect(brief(rows)).toEqual(['ok', '!unclosed-quote', 'fine', 'closed', '!unclosed-quote', 'six']);
    expect(firstBad(rows.slice(1)).message).toContain('2,\\"never closed');
  });

  test('list the columns found if the text column is missing', async () => {
    const failure = await readAll('id,review\n1,a\n', csv).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EmbedmillError);
    expect(failure).toMatchObject({
      code: 'missing-column',
      facts: { column: 'text', found: ['id', 'review'] },
    });
    expect((failure as Error).message).toContain('"id", "review"');
    await expect(readAll('', csv)).rejects.toMatchObject({ code: 'missing-column' });
    await expect(readAll('"id,text\n', csv)).rejects.toMatchObject({ code: 'invalid-header' });
  });

  test('fail one by one for bytes that are not UTF-8 and ids that are too long', async () => {
    const bytes = Buffer.concat([
      Buffer.from('id,text\n1,a\n2,caf'),
      Buffer.from([0xe9]),
      Buffer.from(`\n${'i'.repeat(513)},b\n3,c\n`),
    ]);
    expect(brief(await readAll(bytes, csv))).toEqual(['a', '!invalid-utf8', '!id-too-long', 'c']);
  });

  test('read TSV by the same rules', async () => {
    expect(brief(await readAll('id\ttext\n1\ta, b\n2\t"c\td"\n', { format: 'tsv' }))).toEqual([
      'a, b',
      'c\td',
    ]);
  });

  test('are what csv-parse reads from a whole well-formed file', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'é', ' ') });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field)), async (records) => {
        const input = `id,text\n${records.map((fields) => `${fields.map(quoted).join(',')}\n`).join('')}`;
        const expected: { text: string }[] = parse(input, { columns: true, record_delimiter: '\n' });
        expect(brief(await readAll(input, csv))).toEqual(expected.map(({ text }) => text));
      }),
    );
  });

  test('fail without affecting other lines, for any bytes', async () => {
    const mess = fc.string({
      unit: fc.constantFrom('a', '"', '""', ',', '\n', '\r', '\r\n', ',"', '",'),
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(mess, fc.integer({ min: 8, max: 30 }), async (noise, maxRowBytes) => {
        // A closed quoted field ends any record, so the next row must be read.
        const rows = await readAll(`id,text\n${noise}"\n"\n"x","y"\n1,"last"\n`, { ...csv, maxRowBytes });
        expect(rows.at(-1)).toMatchObject({ ok: true, id: '1', text: 'last' });
        const lines = rows.map((row) => row.line);
        expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });
});
