/**
 * Splits blocks into CSV records, for the CSV and TSV parser.
 *
 * csv-parse splits a record into fields, but it buffers a record of any length, and after a stray quote it
 * reads on to the next quote, so that one bad row swallows its neighbours. This splitter finds the ends of
 * records and avoids both:
 *
 * - A quote opens a field only as its first byte; elsewhere in an unquoted field it is text (`a 12" pan`).
 * - A quoted field ends at a quote that a delimiter or a line end follows; `""` is a quote in the text.
 * - If anything else follows a closing quote, or the input ends inside quotes, the record ends at its first
 *   line end.
 *   It is reported, and the next line starts a new record.
 * - A record over the limit is dropped while it is read. Inside quotes its end is found by the same rules,
 *   except that a
 *   quote followed by anything else does not close the field: the dropped bytes cannot be read again.
 */

import {
  CARRIAGE_RETURN,
  LINE_FEED,
  QUOTED_BYTES,
  type RawRecord,
  type Splitter,
  withoutReturn,
} from './record.ts';

/** Position of the scan within a record. */
type Place =
  /** Before the first byte of a field. */
  | 'start'
  /** In an unquoted field. */
  | 'plain'
  /** In a quoted field. */
  | 'quoted'
  /** After a quote in a quoted field: a closing quote, or the first of two. */
  | 'closing'
  /** After a closing quote and a CR, which only LF may follow. */
  | 'return'
  /** In a record with unbalanced quotes: it ends at its first line end. */
  | 'broken';

/** The bytes that matter to the splitter. */
export interface CsvMarks {
  readonly delimiter: number;
  readonly quote: number;
  /** LF, which a CR may precede, or CR. */
  readonly lineEnd: number;
}

/** Splits at line ends outside quotes; the last record may end with the input. */
export class CsvRecordSplitter implements Splitter {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #lineEnd: number;
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;
  #place: Place = 'start';
  #line = 1;
  /**
   * A record over the limit that is being skipped: its first bytes and the number of its line ends so far.
   */
  #skipped: { head: Buffer; lineEnds: number } | null = null;

  constructor({ delimiter, quote, lineEnd }: CsvMarks, maxBytes: number) {
    this.#delimiter = delimiter;
    this.#quote = quote;
    this.#lineEnd = lineEnd;
    this.#maxBytes = maxBytes;
  }

  push(block: Buffer): RawRecord[] {
    const kept = this.#bytes.subarray(this.#start);
    this.#bytes = kept.length === 0 ? block : Buffer.concat([kept, block]);
    this.#at -= this.#start;
    this.#start = 0;
    const records: RawRecord[] = [];
    this.#scan(records);
    // The limit leaves room for a CR that may turn out to belong to the line end.
    if (this.#bytes.length - this.#start > this.#maxBytes + 1) this.#skip();
    if (this.#skipped !== null) this.#drop(this.#bytes.length);
    return records;
  }

  end(): RawRecord[] {
    const records: RawRecord[] = [];
    // Marking the open record as broken ends it at its first line end; a later line may open another record.
    while (this.#place === 'quoted' && this.#skipped === null) {
      this.#place = 'broken';
      this.#at = this.#start;
      this.#scan(records);
    }
    if (this.#start < this.#bytes.length || this.#skipped !== null) this.#close(records, this.#bytes.length);
    return records;
  }

  /** Continues the last scan to the end of the bytes. */
  #scan(records: RawRecord[]): void {
    const delimiter = this.#delimiter;
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      if (this.#place === 'quoted') {
        const mark = bytes.indexOf(this.#quote, this.#at);
        const reached = mark === -1 ? bytes.length : mark;
        if (reached - this.#start > this.#maxBytes) this.#skip();
        this.#at = mark === -1 ? bytes.length : mark + 1;
        if (mark !== -1) this.#place = 'closing';
        continue;
      }
      if (this.#place === 'broken') {
        const end = bytes.indexOf(this.#lineEnd, this.#start);
        if (end === -1) this.#at = bytes.length;
        else this.#close(records, end);
        continue;
      }
      const byte = bytes[this.#at];
      if (byte === this.#lineEnd) this.#close(records, this.#at);
      else if (this.#place === 'closing' || this.#place === 'return') this.#pastQuote(byte);
      else {
        if (byte === delimiter) this.#place = 'start';
        else if (byte === this.#quote && this.#place === 'start') this.#place = 'quoted';
        else this.#place = 'plain';
        this.#at++;
        if (this.#place === 'plain') this.#passPlain(bytes, delimiter, this.#lineEnd);
      }
    }
  }

  /** The inner loop: it passes most bytes of most files. */
  #passPlain(bytes: Buffer, delimiter: number, lineEnd: number): void {
    let at = this.#at;
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== lineEnd) at++;
    this.#at = at;
  }

  #pastQuote(byte: number | undefined): void {
    if (this.#place === 'closing' && byte === this.#quote) this.#place = 'quoted';
    else if (this.#place === 'closing' && byte === this.#delimiter) this.#place = 'start';
    else if (this.#place === 'closing' && byte === CARRIAGE_RETURN) this.#place = 'return';
    else if (this.#skipped === null) this.#place = 'broken';
    else this.#place = 'quoted';
    if (this.#place !== 'broken') this.#at++;
  }

  /** Ends the record at `end`, the position of its line feed or the end of the input. */
  #close(records: RawRecord[], end: number): void {
    const bytes = this.#bytes;
    const start = this.#start;
    const line = this.#line;
    const lineEnds = (this.#skipped?.lineEnds ?? 0) + this.#countLineEnds(bytes, start, end);
    const textEnd = this.#lineEnd === LINE_FEED ? withoutReturn(bytes, start, end) : end;
    let fault: RawRecord['fault'] = null;
    if (this.#skipped !== null) fault = this.#place === 'quoted' ? 'unclosed-quote' : 'row-too-large';
    else if (textEnd - start > this.#maxBytes) fault = 'row-too-large';
    else if (this.#place === 'broken') fault = 'unclosed-quote';
    const whole = bytes.subarray(start, fault === null ? textEnd : Math.min(textEnd, start + QUOTED_BYTES));
    records.push({ bytes: this.#skipped?.head ?? whole, line, lines: lineEnds + 1, fault });
    this.#line += lineEnds + 1;
    this.#skipped = null;
    this.#place = 'start';
    this.#start = Math.min(end + 1, bytes.length);
    this.#at = this.#start;
  }

  #skip(): void {
    if (this.#skipped !== null) return;
    const head = Buffer.from(this.#bytes.subarray(this.#start, this.#start + QUOTED_BYTES));
    this.#skipped = { head, lineEnds: 0 };
    if (this.#place === 'broken') this.#place = 'plain';
  }

  /** Discards the bytes of a skipped record up to `end`. */
  #drop(end: number): void {
    if (this.#skipped !== null) this.#skipped.lineEnds += this.#countLineEnds(this.#bytes, this.#start, end);
    this.#start = end;
  }

  #countLineEnds(bytes: Buffer, start: number, end: number): number {
    let count = 0;
    let at = bytes.indexOf(this.#lineEnd, start);
    while (at !== -1 && at < end) {
      count++;
      at = bytes.indexOf(this.#lineEnd, at + 1);
    }
    return count;
  }
}
