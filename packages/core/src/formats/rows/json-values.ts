/**
 * Splits blocks into JSON values: the elements of an array, or values one after another.
 *
 * A streaming JSON parser would build every value itself, many times slower than `JSON.parse`, and lose the
 * digits of large numbers. This splitter only finds where values start and end, by brackets and strings; the
 * parser of JSON lines reads each of them.
 */

import { CorruptError } from '@embedmill/contract';
import { LINE_FEED, QUOTED_BYTES, type RawRecord, type Splitter } from './record.ts';

const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [STRING_MARK, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];

/** Splits at commas and blanks outside values. The line of a value counts line feeds, also those in values. */
export class JsonValueSplitter implements Splitter {
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the open value starts; -1 for none. */
  #start = -1;
  #at = 0;
  /** Open brackets of the value. */
  #depth = 0;
  #isString = false;
  #isEscaped = false;
  /** The array around the values: not read yet, absent, open, or closed. */
  #list: 'unknown' | 'none' | 'open' | 'closed' = 'unknown';
  #line = 1;
  #firstLine = 1;
  /** First bytes of a value over the limit. */
  #tooLarge: Buffer | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(block: Buffer): RawRecord[] {
    const kept = this.#start === -1 ? this.#bytes.subarray(this.#at) : this.#bytes.subarray(this.#start);
    this.#at -= this.#start === -1 ? this.#at : this.#start;
    if (this.#start !== -1) this.#start = 0;
    this.#bytes = kept.length === 0 ? block : Buffer.concat([kept, block]);
    const records: RawRecord[] = [];
    this.#scan(records);
    if (this.#start !== -1 && this.#bytes.length - this.#start > this.#maxBytes) {
      this.#tooLarge ??= Buffer.from(this.#bytes.subarray(this.#start, this.#start + QUOTED_BYTES));
      this.#start = this.#bytes.length;
    }
    return records;
  }

  /** @throws {CorruptError} `truncated-json` if the array or a value in it has no end */
  end(): RawRecord[] {
    const records: RawRecord[] = [];
    if (this.#start !== -1 && this.#depth === 0 && !this.#isString) this.#close(records, this.#bytes.length);
    if (this.#start !== -1 || this.#list === 'open') {
      const what = this.#list === 'open' ? 'array' : 'value';
      throw new CorruptError(
        'truncated-json',
        `the JSON ${what} has no end: the input stops in line ${this.#line}; expected a complete file`,
      );
    }
    return records;
  }

  #scan(records: RawRecord[]): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      const byte = bytes[this.#at];
      if (byte === LINE_FEED) this.#line++;
      if (this.#isString) this.#passString(bytes);
      else if (this.#start === -1) this.#between(byte as number);
      else this.#inside(byte as number, records);
    }
  }

  /** Passes bytes of a string up to a byte that ends it, escapes another or ends a line. */
  #passString(bytes: Buffer): void {
    if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#at++;
      return;
    }
    const byte = bytes[this.#at];
    if (byte === STRING_MARK) this.#isString = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    this.#at++;
    if (byte === STRING_MARK || byte === BACKSLASH) return;
    let at = this.#at;
    while (
      at < bytes.length &&
      bytes[at] !== STRING_MARK &&
      bytes[at] !== BACKSLASH &&
      bytes[at] !== LINE_FEED
    )
      at++;
    this.#at = at;
  }

  /** A byte between values. */
  #between(byte: number): void {
    if (byte === COMMA ? this.#list === 'open' : isGap(byte)) this.#at++;
    else if (byte === OPEN_LIST && this.#list === 'unknown') {
      this.#list = 'open';
      this.#at++;
    } else if (byte === CLOSE_LIST && this.#list === 'open') {
      this.#list = 'closed';
      this.#at++;
    } else {
      if (this.#list === 'unknown') this.#list = 'none';
      this.#start = this.#at;
      this.#firstLine = this.#line;
    }
  }

  /** A byte of a value. */
  #inside(byte: number, records: RawRecord[]): void {
    const isOpening = byte === OPEN_OBJECT || byte === OPEN_LIST;
    const isClosing = byte === CLOSE_OBJECT || byte === CLOSE_LIST;
    // A scalar ends before any of these; two objects may follow each other without anything between them.
    if (this.#depth === 0 && this.#at > this.#start && (isOpening || isClosing || isGap(byte))) {
      this.#close(records, this.#at);
      return;
    }
    this.#at++;
    if (byte === STRING_MARK) this.#isString = true;
    if (isOpening) this.#depth++;
    if (!isClosing) return;
    this.#depth--;
    if (this.#depth <= 0) this.#close(records, this.#at);
  }

  #close(records: RawRecord[], end: number): void {
    const size = end - this.#start;
    const isTooLarge = this.#tooLarge !== null || size > this.#maxBytes;
    const whole = this.#bytes.subarray(this.#start, isTooLarge ? this.#start + QUOTED_BYTES : end);
    records.push({
      bytes: this.#tooLarge ?? whole,
      line: this.#firstLine,
      lines: this.#line - this.#firstLine + 1,
      fault: isTooLarge ? 'row-too-large' : null,
    });
    this.#tooLarge = null;
    this.#start = -1;
    this.#depth = 0;
  }
}

/** Whether a byte lies between values: a comma or a blank. */
function isGap(byte: number): boolean {
  return byte === COMMA || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
