/** Writing and publishing output files. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NPY_HEADER_BYTES, npy, npyHeader } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { toFiles } from '../../../apps/cli/src/io/output/files.ts';
import { writeDraft } from '../../../apps/cli/src/io/output/write-draft.ts';
import { idsPath, reportPath } from '../../../apps/cli/src/io/vectors/companions.ts';
import { temporaryFolder } from '../../support/folder.ts';

async function* chunks(...bytes: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}

/** A matrix of `rows` × 2 as the producer sends it. */
async function matrix(rows: number): Promise<Buffer> {
  const bytes: Uint8Array[] = [];
  async function* source() {
    const ids = Array.from({ length: rows }, (_, i) => String(i));
    yield {
      ids,
      dim: 2,
      vectors: new Float32Array(rows * 2).fill(0.5),
      present: new Uint8Array(rows).fill(1),
    };
  }
  for await (const chunk of npy.encode(source(), { rows, dim: 2 })) bytes.push(chunk);
  return Buffer.concat(bytes);
}

describe('writeDraft', () => {
  test('writes under a temporary name until the file is published', async () => {
    const path = join(temporaryFolder(), 'out.npy');
    writeFileSync(path, 'the old one');
    const bytes = await matrix(3);
    const draft = await writeDraft(path, chunks(bytes.subarray(0, 50), bytes.subarray(50)), {
      format: 'npy',
      rows: () => 3,
    });
    expect(readFileSync(path, 'utf8')).toBe('the old one');
    await toFiles(path).publish([draft], []);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['out.npy']);
  });

  test('replaces its first bytes when the number of rows is known', async () => {
    const path = join(temporaryFolder(), 'out.npy');
    const bytes = await matrix(3);
    const unknown = Buffer.concat([npyHeader([0, 2]), bytes.subarray(NPY_HEADER_BYTES)]);
    const draft = await writeDraft(path, chunks(unknown), {
      ...{ format: 'npy', rows: () => 3 },
      head: (rows) => npyHeader([rows, 2]),
    });
    expect(draft.bytes).toBe(bytes.length);
    expect(readFileSync(draft.draftPath).equals(bytes)).toBe(true);
  });

  test.each([
    ['npy', 3, async () => (await matrix(3)).subarray(0, -1), 'it has 151 bytes, expected 152'],
    ['npy', 4, () => matrix(3), 'its header has the shape (3, 2), expected 4 rows of float32'],
    ['npy', 0, async () => Buffer.from('<html>'), 'its header has no shape, expected 0 rows of float32'],
    ['jsonl', 2, async () => Buffer.from('{}\n'), 'it has 1 lines, expected 2'],
    ['parquet', 1, async () => Buffer.from('PAR1 and then nothing'), 'it is truncated'],
  ] as const)(
    'refuses a wrong %s file (%#) and leaves nothing behind',
    async (format, rows, bytes, words) => {
      const path = join(temporaryFolder(), 'out');
      await expect(writeDraft(path, chunks(await bytes()), { format, rows: () => rows })).rejects.toThrow(
        words,
      );
      expect(readdirSync(join(path, '..'))).toEqual([]);
    },
  );

  test('leaves no file when the download is interrupted', async () => {
    const path = join(temporaryFolder(), 'out.jsonl');
    async function* broken() {
      yield Buffer.from('{}\n');
      throw new Error('connection lost');
    }
    await expect(writeDraft(path, broken(), { format: 'jsonl', rows: () => 2 })).rejects.toThrow(
      'connection lost',
    );
    expect(existsSync(join(path, '..', '.out.jsonl.embedmill'))).toBe(false);
  });
});

test('companion files are named after the output', () => {
  expect(idsPath('/a/out.npy')).toBe('/a/out.ids.jsonl');
  expect(reportPath('/a/out.npy')).toBe('/a/out.npy.report.jsonl');
});
