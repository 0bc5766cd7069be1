/** Raw records: what the splitters cut from the input and the parsers take. */

/** The bytes of one record, and the fault found while searching for its end. */
export interface RawRecord {
  /**
   * The record without its line end; with a fault, only its first bytes. Valid until the next block is split.
   */
  readonly bytes: Buffer;
  /** 1-based line of the input where the record starts. */
  readonly line: number;
  /** Number of lines that the record spans. */
  readonly lines: number;
  readonly fault: 'row-too-large' | 'unclosed-quote' | null;
}

/** Splits blocks into records; holds at most one block and one record of at most `maxRowBytes`. */
export interface Splitter {
  /** The records that end in this block. */
  push(block: Buffer): RawRecord[];
  /** Ends the input; returns the remaining records. */
  end(): RawRecord[];
}

/** Byte of LF. */
export const LINE_FEED = 0x0a;

/** Byte of CR. */
export const CARRIAGE_RETURN = 0x0d;

/** Number of bytes kept of a faulty record, for its error message. */
export const QUOTED_BYTES = 256;

/** The end of a record whose line feed is at `end`: a carriage return before it belongs to the line end. */
export function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
}
