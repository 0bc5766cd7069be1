/** Conversion of files into the records of an upload. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import {
  decodeText,
  joinLines,
  recordsOfArray,
  recordsOfLines,
} from '../../../apps/web/src/app/upload/convert.ts';

/** Sends a text through a converter in chunks of any size. */
async function convert(text: string, converter: TransformStream<string, string>, chunk = 1000) {
  const stream = new ReadableStream<string>({
    start: (controller) => {
      for (let at = 0; at < text.length; at += chunk) controller.enqueue(text.slice(at, at + chunk));
      controller.close();
    },
  });
  let whole = '';
  for await (const piece of stream.pipeThrough(converter)) whole += piece;
  return whole;
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

describe('the elements of a JSON array', () => {
  it('become lines, whatever they hold and however the file is written and cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 12 }),
        fc.constantFrom(0, 2, '\t'),
        fc.integer({ min: 1, max: 40 }),
        async (elements, indent, chunk) => {
          const text = JSON.stringify(elements, null, indent);
          const lines = linesOf(await convert(` ${text}\r\n`, recordsOfArray(), chunk));
          expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(elements)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that are invalid stay as they are, beside good ones', async () => {
    const text = '[{"text": "a"}, {"text": NaN}, {"text": "b"}]';
    expect(linesOf(await convert(text, recordsOfArray()))).toEqual([
      '{"text": "a"}',
      '{"text": NaN}',
      '{"text": "b"}',
    ]);
  });
});

describe('lines of text', () => {
  it('become records, blank ones too, with LF and CRLF', async () => {
    const records = linesOf(await convert('one\r\n\n"two"\nthree', recordsOfLines(), 2));
    expect(records.map((record) => JSON.parse(record).text)).toEqual(['one', '', '"two"', 'three']);
  });

  it('may end with a CR alone', async () => {
    expect(await convert('id,text\r1,one\r', joinLines(), 3)).toBe('id,text\n1,one\n');
  });
});

describe('bytes', () => {
  it.each([
    ['windows-1252', [0x63, 0x61, 0x66, 0xe9], 'café'],
    ['utf-16le', [0xff, 0xfe, 0x61, 0, 0xe9, 0], 'aé'],
    ['shift_jis', [0x93, 0x8c, 0x8b, 0x9e], '東京'],
    ['utf-8', [0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62], 'a\ufffdb'],
  ])('of %s are decoded one by one', async (charset, bytes, text) => {
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    let whole = '';
    for await (const piece of stream.pipeThrough(decodeText(charset))) whole += piece;
    expect(whole).toBe(text);
  });
});
