/** Replies of Redis with values, in pieces of any size. */

import { describe, expect, it } from 'vitest';
import { ValueParser } from '../../../packages/core/src/redis/exchange/value-parser.ts';

const REPLY = Buffer.concat([
  Buffer.from('+OK\r\n*4\r\n$5\r\n'),
  Buffer.from([13, 10, 36, 0, 255]),
  Buffer.from('\r\n$-1\r\n$0\r\n\r\n$3\r\nabc\r\n$1\r\nz\r\n'),
]);
const VALUES = [
  Buffer.from([13, 10, 36, 0, 255]),
  null,
  Buffer.from(''),
  Buffer.from('abc'),
  Buffer.from('z'),
];

/** Parses a reply in pieces, each in the same memory as the one before. */
function parse(reply: Buffer, pieceBytes: number): (Uint8Array | null)[] {
  const values: (Uint8Array | null)[] = [];
  const parser = new ValueParser({
    allocate: (bytes) => Buffer.alloc(bytes),
    onValue: (value) => values.push(value),
  });
  const memory = Buffer.alloc(pieceBytes);
  for (let start = 0; start < reply.byteLength; start += pieceBytes) {
    parser.parse(memory.subarray(0, reply.copy(memory, 0, start, start + pieceBytes)));
  }
  return values;
}

describe('replies with values', () => {
  it('give the same values in pieces of any size', () => {
    for (let bytes = 1; bytes <= REPLY.byteLength; bytes += 1) expect(parse(REPLY, bytes)).toEqual(VALUES);
  });

  it('are refused if a value is longer than its memory', () => {
    const parser = new ValueParser({ allocate: () => Buffer.alloc(3), onValue: () => {} });
    expect(() => parser.parse(Buffer.from('$4\r\nabcd\r\n'))).toThrow(/4 bytes, which is too long/);
  });

  it('are errors of Redis if they start with a minus sign or hold something else', () => {
    expect(() => parse(Buffer.from('-NOAUTH Authentication required.\r\n'), 7)).toThrow(
      expect.objectContaining({ name: 'ReplyError', message: 'NOAUTH Authentication required.' }),
    );
    for (const reply of [':3\r\n', '$-2\r\n', '$1x\r\n', 'HTTP/1.1 400 Bad Request\r\n'])
      expect(() => parse(Buffer.from(reply), 100)).toThrow(/ERR expected a value, got "/);
  });
});
