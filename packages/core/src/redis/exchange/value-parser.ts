/** Parses replies of Redis that hold values (RESP2), and copies each value once, to where it stays. */

import { quote } from '@embedmill/contract';
import { ReplyError } from 'ioredis';

const LF = 10;
/** CR and LF after a value. */
const END_BYTES = 2;

/** What a parser reports. */
export interface ValueParserOptions {
  /** Memory for a value of this many bytes; less if that is more than was requested. */
  allocate: (bytes: number) => Uint8Array;
  /** Called for each value in the order of the keys; `null` for a key that does not exist. */
  onValue: (value: Uint8Array | null) => void;
}

/**
 * Accepts a reply in pieces of any size, which it does not keep. Arrays are transparent: their values are reported one by one, as of
 * several replies; statuses such as `+OK` are ignored.
 */
export class ValueParser {
  readonly #options: ValueParserOptions;
  /** Start of a line that has not ended. */
  #line = '';
  /** The value that is being received, and its bytes so far. */
  #value: Uint8Array | undefined;
  #filled = 0;
  /** Bytes until the next line. */
  #skip = 0;

  constructor(options: ValueParserOptions) {
    this.#options = options;
  }

  /** @throws {ReplyError} for an error reply, a value that is too long, and what is not a reply with values */
  parse(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#value !== undefined) at += this.#fill(this.#value, chunk.subarray(at));
      else if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.byteLength - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        const end = chunk.indexOf(LF, at) + 1;
        this.#line += chunk.toString('latin1', at, end || chunk.byteLength);
        if (end === 0) return;
        at = end;
        const line = this.#line.trimEnd();
        this.#line = '';
        this.#begin(line);
      }
    }
  }

  /** @returns how many bytes belong to the value */
  #fill(value: Uint8Array, bytes: Buffer): number {
    const taken = bytes.subarray(0, value.byteLength - this.#filled);
    value.set(taken, this.#filled);
    this.#filled += taken.byteLength;
    if (this.#filled === value.byteLength) this.#end(value);
    return taken.byteLength;
  }

  #begin(line: string): void {
    if (/^(?:\+.*|\*\d+)$/.test(line)) return;
    if (line === '$-1') {
      this.#options.onValue(null);
      return;
    }
    if (!/^\$\d+$/.test(line))
      throw new ReplyError(
        line.startsWith('-') ? line.slice(1) : `ERR expected a value, got ${quote(line, 40)}`,
      );
    const bytes = Number(line.slice(1));
    const value = this.#options.allocate(bytes);
    if (value.byteLength !== bytes)
      throw new ReplyError(`ERR got a value of ${bytes} bytes, which is too long`);
    this.#filled = 0;
    if (value.byteLength === 0) this.#end(value);
    else this.#value = value;
  }

  #end(value: Uint8Array): void {
    this.#value = undefined;
    this.#skip = END_BYTES;
    this.#options.onValue(value);
  }
}
