/** Looks whether a downloaded file is whole, before it gets its name. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ResultFormat } from '@embedmill/client';

/** What is wrong with a file of `rows` rows, in words; `null` when nothing is. */
export async function fileProblem(
  path: string,
  { format, rows }: { format: ResultFormat; rows: number },
): Promise<string | null> {
  if (format === 'npy') return npyProblem(path, rows);
  if (format === 'parquet') return magicProblem(path, 'PAR1');
  if (format === 'arrow') return magicProblem(path, 'ARROW1');
  const lines = await countLines(path);
  return lines === rows ? null : `it has ${lines} lines, expected ${rows}`;
}

/** NumPy's header says shape and type (NEP 1); the rest must be exactly that much. */
async function npyProblem(path: string, rows: number): Promise<string | null> {
  const { head, size } = await readEnds(path, 256);
  const headerBytes = 10 + (head.length >= 10 ? head.readUInt16LE(8) : 0);
  const header = head.subarray(10, headerBytes).toString('latin1');
  const shape = /'descr': '<f4'.*'shape': \((\d+), (\d+)\)/.exec(header);
  if (shape === null) return 'it does not begin with the header of a float32 matrix';
  const [shownRows, dim] = [Number(shape[1]), Number(shape[2])];
  if (shownRows !== rows) return `its header says ${shownRows} rows, expected ${rows}`;
  const expected = headerBytes + rows * dim * 4;
  return size === expected ? null : `it has ${size} bytes, expected ${expected}`;
}

/** Parquet and Arrow files have their magic at both ends, the last one behind the footer. */
async function magicProblem(path: string, magic: string): Promise<string | null> {
  const { head, tail } = await readEnds(path, magic.length);
  return head.toString('latin1') === magic && tail.toString('latin1') === magic ? null : 'it is cut short';
}

async function readEnds(path: string, bytes: number): Promise<{ head: Buffer; tail: Buffer; size: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(bytes, size);
    const [head, tail] = [Buffer.alloc(length), Buffer.alloc(length)];
    await file.read(head, 0, length, 0);
    await file.read(tail, 0, length, size - length);
    return { head, tail, size };
  } finally {
    await file.close();
  }
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(path)) {
    const bytes = chunk as Buffer;
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  }
  return lines;
}
