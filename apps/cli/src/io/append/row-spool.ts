/**
 * The row spool: the digests of all rows of an output, and which of them take their vector from the old output.
 *
 * A file in the work folder, written from the start by every attempt, as the column spool is. Only rows that
 * the old output does not have are passed on to be embedded.
 */

import type { FieldsRow } from '@embedmill/core/formats';
import { BlockFile } from '../columns/blocks.ts';
import { DIGEST_BYTES, digestOfText } from './digest.ts';
import type { KeptRow, OldOutput } from './old-output.ts';
import type { RowDigests } from './row-index.ts';

/** Some rows of the output, in order. */
export interface RowBlock extends RowDigests {
  readonly rows: number;
  /** Empty without an old output: then the run has the ids. */
  readonly ids: readonly string[];
  /** Row number in the old output + 1; 0 for a row to embed. */
  readonly oldRows: Uint32Array;
}

/** How many rows come from where. */
export interface RowCounts {
  /** Rows of the output. */
  readonly rows: number;
  /** Rows of the input whose vectors are copied. */
  readonly reused: number;
  /** Rows that are kept though the input does not have them. */
  readonly kept: number;
}

/** Writes the digests of all rows, and reads them. */
export class RowSpool {
  readonly #file: BlockFile<RowBlock>;
  readonly #old: OldOutput | null;
  readonly #counts = { rows: 0, reused: 0, kept: 0 };

  /** @param path replaced if it exists */
  constructor(path: string, old: OldOutput | null) {
    this.#file = new BlockFile(path);
    this.#old = old;
  }

  get counts(): RowCounts {
    return this.#counts;
  }

  /** Yields the rows to embed; all rows without an old output. */
  async *record(slices: AsyncIterable<(FieldsRow | KeptRow)[]>): AsyncGenerator<FieldsRow[]> {
    const old = this.#old;
    await this.#file.create();
    try {
      for await (const slice of slices) {
        const textDigests = new Uint8Array(slice.length * DIGEST_BYTES);
        const idDigests = new Uint8Array(slice.length * DIGEST_BYTES);
        const oldRows = new Uint32Array(slice.length);
        const ids: string[] = [];
        const fresh: FieldsRow[] = [];
        for (const [n, row] of slice.entries()) {
          this.#counts.rows += 1;
          // Without an id, a row has its number, as in a run.
          const id = row.id ?? String(this.#counts.rows);
          if (old !== null) ids.push(id);
          if ('oldRow' in row && old !== null) {
            const digests = old.digestsOf(row.oldRow);
            textDigests.set(digests.text, n * DIGEST_BYTES);
            idDigests.set(digests.id, n * DIGEST_BYTES);
            oldRows[n] = row.oldRow + 1;
            this.#counts.kept += 1;
            continue;
          }
          const idDigest = digestOfText(id);
          idDigests.set(idDigest, n * DIGEST_BYTES);
          old?.markId(idDigest);
          const textDigest = row.ok ? digestOfText(row.text) : null;
          if (textDigest !== null) textDigests.set(textDigest, n * DIGEST_BYTES);
          const found = textDigest === null || old === null ? null : old.findText(textDigest);
          if (found === null) {
            fresh.push(old === null ? row : { ...row, id });
            continue;
          }
          oldRows[n] = found + 1;
          this.#counts.reused += 1;
        }
        await this.#file.write({ rows: slice.length, ids, textDigests, idDigests, oldRows });
        if (fresh.length > 0) yield fresh;
      }
    } finally {
      await this.#file.close();
    }
  }

  /** The blocks in row order; waits for those that are still to be written. Can be called repeatedly. */
  read(signal?: AbortSignal): AsyncIterable<RowBlock> {
    return this.#file.read(signal);
  }
}
