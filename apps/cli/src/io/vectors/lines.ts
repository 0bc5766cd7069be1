/** Reads the lines of JSON lines files with vectors or ids. */

import { createReadStream } from 'node:fs';
import { readTextLines } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';

/** Maximum bytes of a line: it may hold a vector and the columns of a row. */
export const MAX_LINE_BYTES = 256 * 1024 * 1024;

/**
 * The lines that are not blank, with their numbers from 1. Lines end with LF or CRLF only: U+2028 and CR may be
 * part of a text, where `node:readline` ends a line.
 * @param name of the file for messages
 * @throws {UsageError} if a line is too long or not UTF-8
 */
export async function* readLines(
  path: string,
  name: string,
): AsyncGenerator<{ line: number; text: string }, undefined> {
  for await (const lines of readLineSlices(path, name)) yield* lines;
}

/** The same lines in slices, without a promise per line. */
export async function* readLineSlices(
  path: string,
  name: string,
): AsyncGenerator<{ line: number; text: string }[], undefined> {
  for await (const lines of readTextLines(createReadStream(path), MAX_LINE_BYTES)) {
    yield lines.map((read) => {
      if ('text' in read) return read;
      throw new UsageError(`${name}:${read.line} is ${FAULTS[read.fault]}`);
    });
  }
}

const FAULTS = { 'too-long': `longer than ${MAX_LINE_BYTES} bytes`, 'invalid-utf8': 'not UTF-8' } as const;
