/** Splits blocks into lines, for JSONL and plain text. */

import { LINE_FEED, QUOTED_BYTES, type RawRecord, type Splitter, withoutReturn } from './record.ts';

/** Splits at LF or CRLF, or at CR alone; the last line may end with the input. */
export class LineSplitter implements Splitter {
  readonly #maxBytes: number;
  readonly #lineEnd: number;
  /** The start of a line whose end was not read yet. */
  #carry: Buffer = Buffer.alloc(0);
  /** The first bytes of a line over the limit that is being skipped. */
  #tooLarge: Buffer | null = null;
  #line = 1;

  /** @param lineEnd LF, which a CR may precede, or CR */
  constructor(maxBytes: number, lineEnd: number = LINE_FEED) {
    this.#maxBytes = maxBytes;
    this.#lineEnd = lineEnd;
  }

  push(block: Buffer): RawRecord[] {
    const records: RawRecord[] = [];
    const bytes = this.#carry.length === 0 ? block : Buffer.concat([this.#carry, block]);
    let start = 0;
    let end = bytes.indexOf(this.#lineEnd, this.#carry.length);
    while (end !== -1) {
      records.push(this.#close(bytes, start, this.#endOf(bytes, start, end)));
      start = end + 1;
      end = bytes.indexOf(this.#lineEnd, start);
    }
    this.#keep(bytes.subarray(start));
    return records;
  }

  end(): RawRecord[] {
    const rest = this.#carry;
    this.#carry = Buffer.alloc(0);
    if (rest.length === 0 && this.#tooLarge === null) return [];
    return [this.#close(rest, 0, this.#endOf(rest, 0, rest.length))];
  }

  #endOf(bytes: Buffer, start: number, end: number): number {
    return this.#lineEnd === LINE_FEED ? withoutReturn(bytes, start, end) : end;
  }

  #close(bytes: Buffer, start: number, end: number): RawRecord {
    const skipped = this.#tooLarge;
    this.#tooLarge = null;
    const line = this.#line++;
    if (skipped !== null) return { bytes: skipped, line, lines: 1, fault: 'row-too-large' };
    if (end - start <= this.#maxBytes)
      return { bytes: bytes.subarray(start, end), line, lines: 1, fault: null };
    return { bytes: bytes.subarray(start, start + QUOTED_BYTES), line, lines: 1, fault: 'row-too-large' };
  }

  /**
   * Carries an unfinished line into the next block, unless it exceeds the limit (a final CR may still be
   * removed).
   */
  #keep(rest: Buffer): void {
    if (this.#tooLarge === null && rest.length <= this.#maxBytes + 1) {
      this.#carry = rest;
      return;
    }
    this.#tooLarge ??= Buffer.from(rest.subarray(0, QUOTED_BYTES));
    this.#carry = Buffer.alloc(0);
  }
}
