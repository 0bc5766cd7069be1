/**
 * Cuts blocks into CSV records, for the CSV and TSV parser.
 *
 * csv-parse takes the fields of a record apart, but it keeps a record whole however long it grows, and after one
 * stray quote it reads on to the next one, so that a single bad row swallows its neighbours. This splitter finds where
 * records end, and settles both:
 *
 * - A quote opens a field only as its first byte; elsewhere in an unquoted field it is text (`a 12" pan`).
 * - A quoted field ends at a quote with a delimiter or a line end behind it; `""` is a quote in the text.
 * - When anything else follows a closing quote, or the input ends inside quotes, the record is taken to end at its
 *   first line end. It is reported, and reading goes on with the next line as a record of its own.
 * - A record longer than the limit is dropped as it comes. Inside quotes its end is found by the same rules, except
 *   that a quote with something else behind it does not close: what came before is gone and cannot be read again.
 */
import {
  carriageReturn,
  lineFeed,
  quotedBytes,
  type RawRecord,
  type Splitter,
  withoutReturn,
} from './record.ts';

const quoteMark = 0x22;

/** Where in a record the scan stands. */
type Place =
  /** Before the first byte of a field. */
  | 'start'
  /** In a field that did not open with a quote. */
  | 'plain'
  /** In a quoted field. */
  | 'quoted'
  /** Behind a quote in a quoted field: it closes, or is the first of two. */
  | 'closing'
  /** Behind a closing quote and a CR, which only LF may follow. */
  | 'return'
  /** In a record whose quotes do not add up: it ends at its first line end. */
  | 'broken';

/** Records end with LF or CRLF outside quotes; the last one may end with the input. */
export class CsvRecordSplitter implements Splitter {
  readonly #delimiter: number;
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;
  #place: Place = 'start';
  #line = 1;
  /** A record over the limit that is being skipped: its first bytes, and its line ends so far. */
  #skipped: { head: Buffer; lineEnds: number } | null = null;

  constructor(delimiter: number, maxBytes: number) {
    this.#delimiter = delimiter;
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
    // Breaking the open record ends it at its first line end; the lines behind it are scanned, and one may be open too.
    while (this.#place === 'quoted' && this.#skipped === null) {
      this.#place = 'broken';
      this.#at = this.#start;
      this.#scan(records);
    }
    if (this.#start < this.#bytes.length || this.#skipped !== null) this.#close(records, this.#bytes.length);
    return records;
  }

  /** Reads on from where the last scan stopped, to the end of the bytes. */
  #scan(records: RawRecord[]): void {
    const delimiter = this.#delimiter;
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      if (this.#place === 'quoted') {
        const mark = bytes.indexOf(quoteMark, this.#at);
        const reached = mark === -1 ? bytes.length : mark;
        if (reached - this.#start > this.#maxBytes) this.#skip();
        this.#at = mark === -1 ? bytes.length : mark + 1;
        if (mark !== -1) this.#place = 'closing';
        continue;
      }
      if (this.#place === 'broken') {
        const end = bytes.indexOf(lineFeed, this.#start);
        if (end === -1) this.#at = bytes.length;
        else this.#close(records, end);
        continue;
      }
      const byte = bytes[this.#at];
      if (byte === lineFeed) this.#close(records, this.#at);
      else if (this.#place === 'closing' || this.#place === 'return') this.#pastQuote(byte);
      else {
        if (byte === delimiter) this.#place = 'start';
        else if (byte === quoteMark && this.#place === 'start') this.#place = 'quoted';
        else this.#place = 'plain';
        this.#at++;
        if (this.#place === 'plain') this.#passPlain(bytes, delimiter);
      }
    }
  }

  /** The inner loop: most bytes of most files are passed here. */
  #passPlain(bytes: Buffer, delimiter: number): void {
    let at = this.#at;
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== lineFeed) at++;
    this.#at = at;
  }

  #pastQuote(byte: number | undefined): void {
    if (this.#place === 'closing' && byte === quoteMark) this.#place = 'quoted';
    else if (this.#place === 'closing' && byte === this.#delimiter) this.#place = 'start';
    else if (this.#place === 'closing' && byte === carriageReturn) this.#place = 'return';
    else if (this.#skipped === null) this.#place = 'broken';
    else this.#place = 'quoted';
    if (this.#place !== 'broken') this.#at++;
  }

  /** Ends the record at `end`, the position of its line feed or the end of the input. */
  #close(records: RawRecord[], end: number): void {
    const bytes = this.#bytes;
    const start = this.#start;
    const line = this.#line;
    const lineEnds = (this.#skipped?.lineEnds ?? 0) + countLineFeeds(bytes, start, end);
    const textEnd = withoutReturn(bytes, start, end);
    let fault: RawRecord['fault'] = null;
    if (this.#skipped !== null) fault = this.#place === 'quoted' ? 'unclosed-quote' : 'row-too-large';
    else if (textEnd - start > this.#maxBytes) fault = 'row-too-large';
    else if (this.#place === 'broken') fault = 'unclosed-quote';
    const whole = bytes.subarray(start, fault === null ? textEnd : Math.min(textEnd, start + quotedBytes));
    records.push({ bytes: this.#skipped?.head ?? whole, line, lines: lineEnds + 1, fault });
    this.#line += lineEnds + 1;
    this.#skipped = null;
    this.#place = 'start';
    this.#start = Math.min(end + 1, bytes.length);
    this.#at = this.#start;
  }

  #skip(): void {
    if (this.#skipped !== null) return;
    const head = Buffer.from(this.#bytes.subarray(this.#start, this.#start + quotedBytes));
    this.#skipped = { head, lineEnds: 0 };
    if (this.#place === 'broken') this.#place = 'plain';
  }

  /** Forgets the bytes of a skipped record up to `end`. */
  #drop(end: number): void {
    if (this.#skipped !== null) this.#skipped.lineEnds += countLineFeeds(this.#bytes, this.#start, end);
    this.#start = end;
  }
}

function countLineFeeds(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(lineFeed, start); at !== -1 && at < end; at = bytes.indexOf(lineFeed, at + 1))
    count++;
  return count;
}
