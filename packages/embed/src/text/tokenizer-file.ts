/** The bytes of a shared tokenizer, as it is kept in the cache folder: a header in JSON, then the arrays of its tables. */

import type { SharedTokenizer } from './shared-tokenizer.ts';

/** To be raised whenever the bytes, or what `shareTokenizer` makes of the same tokenizer.json, change. */
export const TOKENIZER_FILE_REVISION = 1;

/** What is not an array; `lengths` are those of `ends`, `ids`, `settings`, `units` and `unknown`. */
interface Header extends Pick<SharedTokenizer, 'prefix' | 'suffix' | 'unknownId'> {
  bert: { lowercase: boolean; ideographs: boolean; inner: string[] };
  lengths: number[];
}

const LENGTH_BYTES = 4;

/** Writes a shared tokenizer as bytes. */
export function encodeSharedTokenizer(shared: SharedTokenizer): Buffer {
  const { tables, unknown, prefix, suffix, bert, unknownId } = shared;
  const arrays = [tables.ends, tables.ids, tables.settings, tables.units, unknown];
  const header: Header = {
    prefix,
    suffix,
    unknownId,
    bert: { ...bert, inner: [...bert.inner] },
    lengths: arrays.map(({ length }) => length),
  };
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(LENGTH_BYTES);
  size.writeUInt32LE(text.length);
  const bodies = arrays.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return Buffer.concat([size, text, ...bodies]);
}

/** Reads what `encodeSharedTokenizer` wrote. */
export function decodeSharedTokenizer(bytes: Buffer): SharedTokenizer {
  const end = LENGTH_BYTES + bytes.readUInt32LE();
  const header: Header = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end));
  const { bert, lengths, prefix, suffix, unknownId } = header;
  let at = end;
  const next = (bytesPerItem: number): SharedArrayBuffer => {
    const size = bytesPerItem * lengths.shift()!;
    const body = new SharedArrayBuffer(size);
    new Uint8Array(body).set(bytes.subarray(at, at + size));
    at += size;
    return body;
  };
  const ends = new Int32Array(next(4));
  const ids = new Int32Array(next(4));
  const settings = new Int32Array(next(4));
  const units = new Uint16Array(next(2));
  const unknown = new Uint8Array(next(1));
  return {
    tables: { ends, ids, settings, units },
    unknown,
    prefix,
    suffix,
    bert: { ...bert, inner: new Set(bert.inner) },
    unknownId,
  };
}
