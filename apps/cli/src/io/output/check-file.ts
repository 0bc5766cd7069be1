/** Checks that a downloaded file is complete, before it is published. */

import { open, stat } from 'node:fs/promises';
import type { Dtype, FormatName } from '@embedmill/contract';
import { DTYPE_BYTES, npyHeader } from '@embedmill/core/formats';
import { openRowIndex } from '../append/row-index.ts';

/** The expected contents of a file. */
export interface ExpectedFile {
  /** `scales` is an .npy with one float32 per row, `rows` a row index. */
  format: FormatName | 'scales' | 'rows';
  rows: number;
  /** Number type of an .npy. Default `float32`. */
  dtype?: Dtype;
}

/** What was counted while a file was written. */
export interface WrittenFile {
  bytes: number;
  /** 0 unless the format is `jsonl`. */
  lines: number;
}

/** Describes what is wrong with a file; `null` if nothing is. */
export async function fileProblem(
  path: string,
  expected: ExpectedFile,
  { bytes, lines }: WrittenFile,
): Promise<string | null> {
  const { format, rows } = expected;
  const { size } = await stat(path);
  if (size !== bytes) return `it has ${size} bytes, expected ${bytes}`;
  if (format === 'npy' || format === 'scales') return npyProblem(path, expected);
  if (format === 'rows') return rowIndexProblem(path, rows);
  if (format === 'parquet') return magicProblem(path, 'PAR1');
  if (format === 'arrow') return magicProblem(path, 'ARROW1');
  return lines === rows ? null : `it has ${lines} lines, expected ${rows}`;
}

async function rowIndexProblem(path: string, rows: number): Promise<string | null> {
  const index = await openRowIndex(path);
  return index?.rows === rows ? null : `it has ${index?.rows ?? 'no'} rows, expected ${rows}`;
}

/** Expects our own header for this shape, with any dimension, and exactly the bytes it announces. */
async function npyProblem(
  path: string,
  { format, rows, dtype = 'float32' }: ExpectedFile,
): Promise<string | null> {
  const { head, size } = await readEnds(path, 256);
  const shape = /'shape': (\(\d+, ?(\d*)\))/.exec(head.toString('latin1'));
  const dim = format === 'scales' ? 1 : Number(shape?.[2]);
  const header = npyHeader(format === 'scales' ? [rows] : [rows, dim], dtype);
  if (!head.subarray(0, header.length).equals(header)) {
    const found = shape === null ? 'no shape' : `the shape ${shape[1]}`;
    return `its header has ${found}, expected ${rows} rows of ${dtype}`;
  }
  const expected = header.length + rows * dim * DTYPE_BYTES[dtype];
  return size === expected ? null : `it has ${size} bytes, expected ${expected}`;
}

/** Parquet and Arrow files have their magic number at both ends; the last one follows the footer. */
async function magicProblem(path: string, magic: string): Promise<string | null> {
  const { head, tail } = await readEnds(path, magic.length);
  return head.toString('latin1') === magic && tail.toString('latin1') === magic ? null : 'it is truncated';
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
