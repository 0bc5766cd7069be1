/** Tests what all formats share: chunking, limits, backpressure, memory; and plain text, file names and gzip. */
import { gzipSync } from 'node:zlib';
import { formatOfName, gunzip, type RowFormat, readRows } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { brief, readAll, streamOf } from './read.ts';

const megabyte = 1024 * 1024;

describe('plain text', () => {
  test('has one row per line, including blank lines', async () => {
    const rows = await readAll('\ufeffone\r\n\n three \n\n', { format: 'txt' });
    expect(rows.map((row) => [row.line, row.id, row.ok && row.text])).toEqual([
      [1, null, 'one'],
      [2, null, ''],
      [3, null, ' three '],
      [4, null, ''],
    ]);
  });
});

describe.each<[RowFormat, string, (text: string) => string]>([
  ['jsonl', '', (text) => JSON.stringify({ text })],
  ['csv', 'text,n\n', (text) => `"${text}",1`],
  ['tsv', 'text\tn\n', (text) => `${text}\t1`],
  ['txt', '', (text) => text],
])('rows of %s', (format, header, record) => {
  test('do not depend on the size of the chunks', async () => {
    const texts = ['ü — ok', 'x'.repeat(40), 'last 😀'];
    const input = Buffer.concat([
      Buffer.from(`\ufeff${header}${texts.map((text) => `${record(text)}\r\n`).join('')}`),
      Buffer.from([0xc3]),
    ]);
    const whole = await readAll(input, { format });
    expect(brief(whole)).toEqual([...texts, '!invalid-utf8']);
    for (const pieceBytes of [1, 2, 3, 7, 64])
      expect(await readAll(input, { format }, pieceBytes)).toEqual(whole);
  });

  test('may be as long as the limit', async () => {
    const frame = Buffer.byteLength(record(''));
    const fits = 'f'.repeat(70_000 - frame);
    const input = `${header}${record('a')}\r\n${record(fits)}\r\n${record(`${fits}f`)}\r\n${record('b')}`;
    const rows = await readAll(input, { format, maxRowBytes: 70_000 });
    expect(brief(rows)).toEqual(['a', fits, '!row-too-large', 'b']);
  });

  test('skip a huge row without buffering it, and continue after it', async () => {
    const before = process.memoryUsage.rss();
    let highest = before;
    async function* input() {
      yield Buffer.from(`${header}${record('first')}\n`);
      const [open = '', close = ''] = record('\0').split(format === 'jsonl' ? '\\u0000' : '\0');
      yield Buffer.from(open);
      for (let n = 0; n < 400; n++) {
        highest = Math.max(highest, process.memoryUsage.rss());
        yield Buffer.alloc(megabyte, 'h');
      }
      yield Buffer.from(`${close}\n${record('last')}\n`);
    }
    const texts: string[] = [];
    for await (const rows of readRows(input(), { format })) texts.push(...brief(rows));
    expect(texts).toEqual(['first', '!row-too-large', 'last']);
    // Half of the row. Node 24 frees buffers later than Node 20: of a row of 200 MB it had 107 MB in memory.
    expect(highest - before).toBeLessThan(200 * megabyte);
  });

  test('are read on demand, and leaving the loop closes the source', async () => {
    let given = 0;
    let closed = false;
    async function* input() {
      try {
        yield Buffer.from(header);
        for (;;) {
          given++;
          yield Buffer.from(`${record('x'.repeat(1000))}\n`.repeat(64));
        }
      } finally {
        closed = true;
      }
    }
    for await (const _ of readRows(input(), { format })) break;
    expect(given).toBeLessThan(4);
    expect(closed).toBe(true);
  });

  test('come in small arrays', async () => {
    const input = streamOf(`${header}${`${record('short')}\n`.repeat(50_000)}`);
    let count = 0;
    for await (const rows of readRows(input, { format })) {
      expect(rows.length).toBeLessThanOrEqual(16_384);
      count += rows.length;
    }
    expect(count).toBe(50_000);
  });
});

describe('the name of an input', () => {
  test.each([
    ['reviews.jsonl', 'jsonl'],
    ['a.b/reviews.JSONL.gz', 'jsonl'],
    ['x.ndjson', 'jsonl'],
    ['x.json.zst', 'json'],
    ['x.csv.bz2', 'csv'],
    ['x.tsv.xz', 'tsv'],
    ['x.txt', 'txt'],
    ['x.parquet', 'parquet'],
    ['x.feather', 'arrow'],
    ['x.gz', null],
    ['x.constructor', null],
    ['csv', null],
    ['-', null],
  ])('%s shows %j', (name, format) => {
    expect(formatOfName(name)).toBe(format);
  });
});

describe('gzip', () => {
  const unpack = async (bytes: Uint8Array) => {
    const parts: Uint8Array[] = [];
    for await (const part of gunzip(streamOf(bytes, 5))) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const packed = gzipSync('one\ntwo\n'.repeat(100));

  test('is decompressed with all its members', async () => {
    expect(await unpack(Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]))).toBe('one\ntwo\n');
  });

  test.each([
    ['empty', Buffer.alloc(0), 'unexpected end of input'],
    ['cut short', packed.subarray(0, packed.length - 9), 'unexpected end of input'],
    ['cut in its second member', Buffer.concat([packed, packed.subarray(0, 6)]), 'unexpected end of input'],
    ['not gzip', Buffer.from('{"text":"plain"}\n'), 'incorrect header check'],
    ['followed by something else', Buffer.concat([packed, Buffer.from('junk')]), 'incorrect header check'],
    [
      'damaged',
      Buffer.from(packed.with(packed.length - 6, (packed.at(-6) ?? 0) ^ 1)),
      'incorrect data check',
    ],
  ])('that is %s is refused', async (_, bytes, problem) => {
    await expect(unpack(bytes)).rejects.toMatchObject({
      code: 'corrupt-gzip',
      message: expect.stringContaining(problem),
    });
  });

  test('passes on an error of its source', async () => {
    async function* failing() {
      yield packed.subarray(0, 10);
      throw new Error('the disk is gone');
    }
    const read = async () => {
      for await (const _ of gunzip(failing())) expect.fail('nothing can be unpacked yet');
    };
    await expect(read()).rejects.toThrow('the disk is gone');
  });
});
