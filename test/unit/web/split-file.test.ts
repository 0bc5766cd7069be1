/** Splitting of a file into the parts of an upload. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// The package does not export the code of its pages.
import { splitFile } from '../../../apps/web/src/app/upload/split-file.ts';

const HOW = {
  csv: { hasHeader: true, quote: '"' },
  jsonl: { hasHeader: false, quote: null },
} as const;

async function partsOf(text: string, format: 'csv' | 'jsonl', partBytes: number, chunkBytes: number) {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let at = 0; at < bytes.length; at += chunkBytes)
        controller.enqueue(bytes.slice(at, at + chunkBytes));
      controller.close();
    },
  });
  const parts: string[] = [];
  for await (const { part, bytes: cut } of splitFile(stream, HOW[format], partBytes)) {
    expect(part).toBe(parts.length);
    parts.push(new TextDecoder().decode(cut));
  }
  return parts;
}

describe('splitting a file into parts', () => {
  it('ends a part with the record that reaches the size', async () => {
    const text = '{"id":1}\n{"id":2}\n{"id":3}\n{"id":4}\n';
    expect(await partsOf(text, 'jsonl', 10, 7)).toEqual(['{"id":1}\n{"id":2}\n', '{"id":3}\n{"id":4}\n']);
  });

  it('repeats the header in every part of a table', async () => {
    expect(await partsOf('id,text\n1,one\n2,two\n3,three', 'csv', 6, 4)).toEqual([
      'id,text\n1,one\n',
      'id,text\n2,two\n',
      'id,text\n3,three',
    ]);
  });

  it('does not split quoted fields', async () => {
    const records = ['1,"a\nb"\n', '2,"say ""hi""\n\n"\n', '3,c\n'];
    expect(await partsOf(`"id",text\n${records.join('')}`, 'csv', 1, 3)).toEqual(
      records.map((record) => `"id",text\n${record}`),
    );
  });

  it('yields no part for an empty file or a header alone', async () => {
    expect(await partsOf('', 'jsonl', 10, 5)).toEqual([]);
    expect(await partsOf('id,text\n', 'csv', 10, 5)).toEqual([]);
  });

  it('keeps every byte and gives the same parts for any chunks of the file', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => JSON.stringify({ text }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 50 }),
        async (lines, partBytes, chunkBytes) => {
          const text = lines.map((each) => `${each}\n`).join('');
          const parts = await partsOf(text, 'jsonl', partBytes, chunkBytes);
          expect(parts.join('')).toBe(text);
          expect(await partsOf(text, 'jsonl', partBytes, 1_000_000)).toEqual(parts);
        },
      ),
      { numRuns: 60 },
    );
  });
});
