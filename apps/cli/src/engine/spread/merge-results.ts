/** Merges the results of several runs into the order in which the rows of the input were read. */

import { PassingFault, type RetryOptions, withRetry } from '@embedmill/client';
import { CorruptError, type VectorRows } from '@embedmill/contract';
import { cutSlice, readTextLines } from '@embedmill/core/formats';
import { RowCutter } from '../run/write-shards.ts';
import type { PlacedPart } from './part-map.ts';

/** Dependencies of {@link mergeRows}. */
export interface MergeDeps {
  /** All parts in order. */
  parts: Iterable<PlacedPart>;
  /** Opens the results of each producer from the first row. */
  sources: readonly (() => Promise<AsyncIterable<VectorRows>>)[];
  /** Receives the number of rows without a vector among those of a part that are passed on, before they are. */
  onMissing: (part: PlacedPart, missing: number) => void;
  retry: RetryOptions;
}

/** The rows of all parts. Each source is opened when its first part is due, and read a little ahead. */
export async function* mergeRows({
  parts,
  sources,
  onMissing,
  retry,
}: MergeDeps): AsyncGenerator<VectorRows> {
  const cutters = sources.map((open) => new RowCutter(readAhead(reopened(open, retry))));
  try {
    for (const part of parts) {
      let missing = 0;
      for await (const slice of cutters[part.producer]?.take(part.rows) ?? []) {
        for (const present of slice.present) missing += 1 - present;
        // A reader that knows the number of rows does not ask for more after the last one.
        onMissing(part, missing);
        yield slice;
      }
    }
  } finally {
    for (const cutter of cutters) await cutter.close();
  }
}

/** Slices that are read ahead, of 64 KiB of a response each: a part of a model with 384 dimensions. */
const SLICES_AHEAD = 64;

/** Reads ahead, so that the next producers send while the rows of one are taken. */
async function* readAhead(source: AsyncGenerator<VectorRows>): AsyncGenerator<VectorRows> {
  const ahead: Promise<IteratorResult<VectorRows>>[] = [];
  try {
    for (;;) {
      while (ahead.length < SLICES_AHEAD) {
        const next = source.next();
        // It is thrown when its turn comes; this keeps Node from reporting it as unhandled before.
        next.catch(() => {});
        ahead.push(next);
      }
      const slice = await ahead.shift();
      if (slice === undefined || slice.done) return;
      yield slice.value;
    }
  } finally {
    // Not awaited: it follows the pending reads, which the signal of the client ends.
    source.return(undefined).catch(() => {});
  }
}

/**
 * The rows of one source. It waits while the parts of others are due, for hours if its producer was away during
 * most of the run, and producers disconnect clients that read nothing: then it is opened again and continues
 * with the next row.
 */
async function* reopened(
  open: () => Promise<AsyncIterable<VectorRows>>,
  retry: RetryOptions,
): AsyncGenerator<VectorRows> {
  for (let passed = 0; ; ) {
    const before = passed;
    let known = passed;
    try {
      for await (const slice of await withRetry(open, retry)) {
        const rows = slice.ids.length;
        const skipped = Math.min(known, rows);
        known -= skipped;
        if (skipped === rows) continue;
        passed += rows - skipped;
        yield skipped === 0 ? slice : cutSlice(slice, skipped, rows);
      }
      return;
    } catch (error) {
      // Without a new row, another attempt would end in the same way.
      if (!(error instanceof PassingFault) || passed === before) throw error;
    }
  }
}

/** Maximum bytes of a line of a report: an id and a message. */
const MAX_REPORT_LINE_BYTES = 16 * 1024 * 1024;

/** Dependencies of {@link mergeReports}. */
export interface ReportDeps {
  /** All parts in order, with the number of their lines. */
  parts: Iterable<PlacedPart & { lines: number }>;
  /** Opens the report of each producer. */
  sources: readonly (() => Promise<AsyncIterable<Uint8Array>>)[];
}

/** The report of all parts: JSON lines. */
export async function* mergeReports({ parts, sources }: ReportDeps): AsyncGenerator<Uint8Array> {
  const readers = sources.map((open) => linesOf(open));
  try {
    for (const { number, producer, lines } of parts) {
      if (lines === 0) continue;
      const taken: string[] = [];
      while (taken.length < lines) {
        const next = await readers[producer]?.next();
        if (next === undefined || next.done) {
          throw new CorruptError('wrong-output', `the report of a producer ends before part ${number}`);
        }
        taken.push(`${next.value}\n`);
      }
      yield Buffer.from(taken.join(''));
    }
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}

async function* linesOf(open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<string> {
  for await (const lines of readTextLines(await open(), MAX_REPORT_LINE_BYTES)) {
    for (const line of lines) {
      if (!('text' in line)) throw new CorruptError('wrong-output', 'a line of a report is not text');
      yield line.text;
    }
  }
}
