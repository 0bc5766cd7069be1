/** A record as the splitters cut it from the input, before anything in it is understood. */

/** The bytes of one record, with a fault found while looking for its end. */
export interface RawRecord {
  /** The record without its line end; after a fault only its first bytes. Valid until the next block is split. */
  readonly bytes: Buffer;
  /** 1-based line of the input where the record starts. */
  readonly line: number;
  /** Lines the record spans, its own included. */
  readonly lines: number;
  readonly fault: 'row-too-large' | 'unclosed-quote' | null;
}

/** Cuts blocks into records, keeping at most one block and one record of at most `maxRowBytes`. */
export interface Splitter {
  /** The records that end in this block. */
  push(block: Buffer): RawRecord[];
  /** What is left when the input has ended. */
  end(): RawRecord[];
}

export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;

/** As many bytes of a faulty record as a message may need to quote it. */
export const quotedBytes = 256;

/** The end of a record that the line feed at `end` closes: a carriage return before it belongs to the line end. */
export function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === carriageReturn ? end - 1 : end;
}
