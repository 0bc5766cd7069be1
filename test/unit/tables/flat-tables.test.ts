/** Flat tables as CSV, Parquet and XLSX: the same cells in each, and nothing that a spreadsheet runs. */

import { inflateRawSync } from 'node:zlib';
import { FLAT_FORMATS, type FlatCell, type FlatColumn, type FlatFormatName } from '@embedmill/core/formats';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';

const COLUMNS: FlatColumn[] = [
  { name: 'text', kind: 'text' },
  { name: 'score', kind: 'number' },
];
const ROWS: FlatCell[][] = [
  ['=HYPERLINK("http://x","y")', 0.5],
  ['a "quoted", <tag> & line\nbreak', null],
  ['\u0001ctrl 😀 \ud83d', -3],
  [12, 1e21],
  [null, 2],
];

async function bytesOf(format: FlatFormatName, batches: FlatCell[][][] = [ROWS.slice(0, 2), ROWS.slice(2)]) {
  async function* rows() {
    yield* batches;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of FLAT_FORMATS[format].encode(COLUMNS, rows())) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The content of a file in a zip archive, found by the central directory (APPNOTE 4.3.12). */
function unzipped(zip: Buffer, name: string): Buffer {
  let at = zip.readUInt32LE(zip.lastIndexOf('PK\u0005\u0006') + 16);
  for (; zip.toString('latin1', at, at + 4) === 'PK\u0001\u0002'; ) {
    const [nameBytes, extraBytes] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    if (zip.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
      const start = zip.readUInt32LE(at + 42);
      const content = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
      return inflateRawSync(zip.subarray(content, content + zip.readUInt32LE(at + 20)));
    }
    at += 46 + nameBytes + extraBytes + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no ${name}`);
}

describe('a flat table', () => {
  it('is CSV whose formulas are texts', async () => {
    expect((await bytesOf('csv')).toString()).toBe(
      'text,score\n' +
        '"\'=HYPERLINK(""http://x"",""y"")",0.5\n' +
        '"a ""quoted"", <tag> & line\nbreak",\n' +
        '\u0001ctrl 😀 \ufffd,-3\n' +
        '12,1e+21\n' +
        ',2\n',
    );
  });

  it('is Parquet with exact texts', async () => {
    const bytes = await bytesOf('parquet');
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file });
    expect(rows).toEqual([
      { text: ROWS[0]![0], score: 0.5 },
      { text: ROWS[1]![0], score: null },
      { text: '\u0001ctrl 😀 \ufffd', score: -3 },
      { text: '12', score: 1e21 },
      { text: null, score: 2 },
    ]);
  });

  it('is a workbook of inline strings and numbers, with equal bytes for equal tables', async () => {
    const bytes = await bytesOf('xlsx');
    expect(bytes.equals(await bytesOf('xlsx'))).toBe(true);
    const sheet = unzipped(bytes, 'xl/worksheets/sheet1.xml').toString();
    expect(sheet).toContain('<row><c s="1" t="inlineStr"><is><t xml:space="preserve">text</t></is></c>');
    expect(sheet).toContain(
      '<t xml:space="preserve">=HYPERLINK("http://x","y")</t></is></c><c><v>0.5</v></c>',
    );
    expect(sheet).toContain('&lt;tag&gt; &amp; line\nbreak</t></is></c><c/>');
    expect(sheet).toContain('<t xml:space="preserve">ctrl 😀 </t></is></c><c><v>-3</v></c>');
    expect(sheet).toContain('<row><c><v>12</v></c><c><v>1e+21</v></c></row>');
    expect(sheet.match(/<f>/)).toBeNull();
  });

  it('without rows is a header', async () => {
    expect((await bytesOf('csv', [])).toString()).toBe('text,score\n');
    expect((await bytesOf('xlsx', [])).byteLength).toBeGreaterThan(500);
    const bytes = await bytesOf('parquet', []);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    expect(await parquetReadObjects({ file })).toEqual([]);
  });

  it.each(['csv', 'parquet', 'xlsx'] as const)(
    'that cannot be read to its end fails as %s',
    async (format) => {
      async function* rows(): AsyncGenerator<FlatCell[][]> {
        yield ROWS;
        throw new Error('the disk is gone');
      }
      const read = async () => {
        for await (const _ of FLAT_FORMATS[format].encode(COLUMNS, rows()));
      };
      await expect(read()).rejects.toThrow('the disk is gone');
    },
  );

  it.each(['csv', 'parquet', 'xlsx'] as const)(
    'whose reader goes away ends its source: %s',
    async (format) => {
      let isEnded = false;
      async function* rows(): AsyncGenerator<FlatCell[][]> {
        try {
          for (let n = 0; n < 100_000; n++)
            yield Array.from({ length: 1000 }, () => [`${n} ${Math.random()}`, n]);
        } finally {
          isEnded = true;
        }
      }
      let chunks = 0;
      for await (const _ of FLAT_FORMATS[format].encode(COLUMNS, rows())) if (++chunks === 2) break;
      await expect.poll(() => isEnded).toBe(true);
    },
  );
});
