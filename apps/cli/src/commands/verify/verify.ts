/** Computes rows of a vector file again and compares the bytes. */

import { quote, rowView } from '@embedmill/contract';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { TextLookup, VectorRow } from '../../io/texts/read-texts.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';

/** Rows with other bytes that are listed. */
const MAX_LISTED = 10;

/** A row of the file whose vector was computed again. */
export interface CheckedRow extends VectorRow {
  vector: Float32Array;
}

/** What was found. */
export interface Verification {
  /** Rows compared. */
  compared: number;
  /** Rows with the same bytes. */
  identical: number;
  /** Minimum cosine of the two vectors of a row; 1 if no row differs. */
  minimumCosine: number;
  /** The first rows with other bytes. */
  different: (VectorRow & { cosine: number })[];
  /** Rows whose text was not found. */
  withoutText: number;
}

/** Dependencies of {@link verifyRows}. */
export interface VerifyDeps {
  embedder: TextEmbedder;
  findTexts: (rows: readonly VectorRow[]) => Promise<TextLookup>;
  /** Receives the number of rows computed so far. */
  onRows: (rows: number) => void;
}

/**
 * Picks rows with vectors at even distances.
 * @param count maximum rows to pick
 * @throws {UsageError} if no row has a vector
 */
export async function pickRows(file: VectorFile, count: number, signal: AbortSignal): Promise<CheckedRow[]> {
  const step = Math.max(1, Math.floor((file.rows ?? (await countRows(file, signal))) / count));
  const picked: CheckedRow[] = [];
  let first = 0;
  for await (const { ids, dim, vectors, present } of file.read()) {
    signal.throwIfAborted();
    for (const [i, id] of ids.entries()) {
      const isDue = (first + i) % step === 0 && picked.length < count;
      if (!isDue || present[i] !== 1) continue;
      picked.push({ row: first + i, id, vector: Float32Array.from(rowView(vectors, dim, i)) });
    }
    first += ids.length;
  }
  if (picked.length === 0) throw new UsageError(`no row of ${quote(file.name, 200)} has a vector`);
  return picked;
}

/** Computes the vectors of the rows again and compares them. */
export async function verifyRows(
  rows: readonly CheckedRow[],
  { embedder, findTexts, onRows }: VerifyDeps,
): Promise<Verification> {
  const textOf = await findTexts(rows);
  const known = rows.flatMap((row) => {
    const text = textOf(row);
    return text === null ? [] : [{ ...row, text }];
  });
  const { dim, vectors } = await embedder.embed(
    known.map(({ text }) => text),
    onRows,
  );
  const found: Verification = {
    compared: known.length,
    identical: 0,
    minimumCosine: 1,
    different: [],
    withoutText: rows.length - known.length,
  };
  for (const [i, { row, id, vector }] of known.entries()) {
    const own = rowView(vectors, dim, i);
    if (own.length !== vector.length) {
      throw new UsageError(
        `the file has vectors of ${vector.length} floats, but ${embedder.name} produces ${own.length}; ` +
          'verify with the model of the file (--model)',
      );
    }
    if (own.every((value, n) => value === vector[n])) {
      found.identical += 1;
      continue;
    }
    const cosine = own.reduce((sum, value, n) => sum + value * vector[n]!, 0);
    found.minimumCosine = Math.min(found.minimumCosine, cosine);
    if (found.different.length < MAX_LISTED) found.different.push({ row, id, cosine });
  }
  return found;
}

async function countRows(file: VectorFile, signal: AbortSignal): Promise<number> {
  let rows = 0;
  for await (const { ids } of file.read()) {
    signal.throwIfAborted();
    rows += ids.length;
  }
  return rows;
}
