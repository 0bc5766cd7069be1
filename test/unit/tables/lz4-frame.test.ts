/** LZ4 frames, as pyarrow writes them into Feather files. */

import { describe, expect, test } from 'vitest';
import { unpackLz4Frame } from '../../../packages/core/src/formats/tables/lz4-frame.ts';

/** `pyarrow.compress(…, codec='lz4')` of {@link CONTENT}: blocks of 64 KiB that repeat bytes of earlier ones. */
const FRAME = Buffer.from(
  [
    'BCJNGEBAwNUBAADwAnJvdyAwIG9mIGEgdGFibGUKEQAcMREAHDIRABwzEQAcNBEAHDURABw2EQAcNxEAHDgRABw5EQAeMasA',
    'DawAHTGtAB0xrgAdMa8AHTGwAB0xsQAdMbIAHTGzAB0xtAAdMrQAHTK0AB0ytAAdMrQAHTK0AB0ytAAdMrQAHTK0AB0ytAAd',
    'MrQAHTO0AB0ztAAdM7QAHTO0AB0ztAAdM7QAHTO0AB0ztAAdM7QAHTO0AA2zAA2yAA6xAAxgAg2vAA2uAA2tAA2sAA2rAA2q',
    'AA/GAv//////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////////////',
    '//////////////////////////////////////////////////////9xUDIgb2YgEAEAAAn3/w3A/Q8o////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////////////',
    '///////////////////////////////////////KUDQgb2Yg0wAAAO1hIHRhYmxlCnJvdyAyNRIAHTYSAB03EgAdOBIAHDkS',
    'AC0zMBIAHTESAB0yEgAdMxIAHTQSAA20AB0ztAAdM7QAHTO0AB0ztAANswANsgAOsQAMngANrwANrgANrQANrAANqwANqgAe',
    'MasADawAHTGtAB0xXgEdMa8AHTGwAB0xsQAdMbIAHTGzAB0xtAAdMrQAHTK0AB0ytAAdMrQAHTK0AA/GAv//////////////',
    '/////////////////////////////////////+1QYWJsZQoAAAAA',
  ].join(''),
  'base64',
);

const CONTENT = Array.from({ length: 8_000 }, (_, i) => `row ${i % 40} of a table\n`).join('');

describe('an LZ4 frame', () => {
  test('of several linked blocks is unpacked', () => {
    expect(Buffer.from(unpackLz4Frame(FRAME, CONTENT.length)).toString()).toBe(CONTENT);
  });

  test('may have a block that is stored as it is', () => {
    const frame = Buffer.concat([
      FRAME.subarray(0, 7),
      Buffer.from([3, 0, 0, 0x80]),
      Buffer.from('abc'),
      Buffer.alloc(4),
    ]);
    expect(FRAME[4]! & 0x19).toBe(0);
    expect(Buffer.from(unpackLz4Frame(frame, 3)).toString()).toBe('abc');
  });

  test.each([
    ['ends early', FRAME.subarray(0, FRAME.length - 10), CONTENT.length],
    ['is not a frame', Buffer.from('not an LZ4 frame'), 10],
    ['has more bytes than stated', FRAME, CONTENT.length - 1],
  ])('that %s is refused', (_, frame, bytes) => {
    expect(() => unpackLz4Frame(frame, bytes)).toThrow(expect.objectContaining({ code: 'corrupt-lz4' }));
  });
});
