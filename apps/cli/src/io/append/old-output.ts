/** The output that `--append` adds to: which rows it has, their vectors, and the columns of kept rows. */

import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CorruptError, quote } from '@embedmill/contract';
import { type Column, type FieldsRow, isTableFormat, withExactNumbers } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import type { OutputTarget } from '../output/types.ts';
import { readLineColumns, readTableColumns, type StoredColumns, toFieldsRows } from '../vectors/columns.ts';
import { idsPath } from '../vectors/companions.ts';
import { openVectors } from '../vectors/open.ts';
import { shardsOf } from '../vectors/shards.ts';
import { DigestTable } from './digest.ts';
import {
  hashOfFile,
  headBytesOf,
  openRowIndex,
  type RowIndexHeader,
  rowIndexesOf,
  rowIndexPath,
  type VectorOptions,
} from './row-index.ts';

/** What becomes of old rows whose ids the input no longer has. */
export type RemovedChoice = 'keep' | 'drop';

/** A row of the old output that is kept, with its number there. */
export type KeptRow = FieldsRow & { readonly oldRow: number };

/** The columns of the input, to which those of kept rows are added. */
export interface InputNames {
  /** Names of input columns by their names in the output, where they differ. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Columns of all rows of the input. */
  readonly columns: readonly Column[];
}

/** An output with its row index. */
export class OldOutput {
  readonly header: RowIndexHeader;
  readonly #target: OutputTarget;
  readonly #texts: DigestTable;
  /** `null` unless removed rows are kept. */
  readonly #ids: DigestTable | null;
  /** 1 for an old row whose id the input has. */
  readonly #seen: Uint8Array;

  private constructor(
    target: OutputTarget,
    header: RowIndexHeader,
    { texts, ids }: { texts: DigestTable; ids: DigestTable | null },
  ) {
    this.#target = target;
    this.header = header;
    this.#texts = texts;
    this.#ids = ids;
    this.#seen = new Uint8Array(ids === null ? 0 : header.rows);
  }

  /**
   * Opens the output of an earlier command; `null` if there is none, or none with a vector. Reads all its bytes, and so finds every
   * damage.
   * @throws {UsageError} if it is a set of shards, has no index, differs from it, or has vectors of other options
   */
  static async open(
    target: OutputTarget,
    { removed, options }: { removed: RemovedChoice; options: VectorOptions },
  ): Promise<OldOutput | null> {
    const { path } = target;
    if (!existsSync(path)) {
      if (shardsOf(path).length === 0) return null;
      throw new UsageError(
        `${path} is a set of shards, to which --append cannot add; embed the new rows into a set of their own`,
      );
    }
    let sha256 = await hashOfFile(path, headBytesOf(target.format));
    // Earlier versions hashed an .npy from its start.
    if (target.format === 'npy' && !existsSync(rowIndexPath(path, sha256)))
      sha256 = await hashOfFile(path, 0);
    const indexPath = rowIndexPath(path, sha256);
    const index = existsSync(indexPath) ? await openRowIndex(indexPath) : null;
    if (index?.sha256 !== sha256) {
      const others = await rowIndexesOf(path);
      const problem =
        others.length === 0
          ? `has no row index ${basename(indexPath)}: another program or an earlier version wrote it, or it was moved or renamed without its index`
          : `does not match its row index ${basename(others[0] ?? '')}: it is damaged or was changed`;
      throw new UsageError(`${path} ${problem}; ${START_OVER}`);
    }
    const differences = Object.keys({ ...index.options, ...options }).filter(
      (name) => (index.options[name] ?? null) !== (options[name] ?? null),
    );
    const [name] = differences;
    if (name !== undefined) {
      const [old, now] = [index.options[name], options[name]].map((value) => value ?? 'not given');
      throw new UsageError(
        `${path} was made with other options: --${name} was ${old}, now it is ${now}; give the same or ${START_OVER}`,
      );
    }
    if (index.fingerprint === null) return null;
    return new OldOutput(target, index, {
      texts: new DigestTable(await index.readDigests('texts')),
      ids: removed === 'keep' ? new DigestTable(await index.readDigests('ids')) : null,
    });
  }

  /** The row with a vector of this text; `null` if there is none. */
  findText(digest: Uint8Array): number | null {
    return this.#texts.find(digest);
  }

  /** Records that the input has a row with this id. */
  markId(digest: Uint8Array): void {
    const row = this.#ids?.find(digest) ?? null;
    if (row !== null) this.#seen[row] = 1;
  }

  /** The digests of a row; of the id only if removed rows are kept. */
  digestsOf(row: number): { text: Uint8Array; id: Uint8Array } {
    return { text: this.#texts.at(row), id: this.#ids?.at(row) ?? new Uint8Array() };
  }

  /**
   * The rows with a vector whose ids were not marked, with their columns; nothing if removed rows are dropped.
   * @param input.renamed names of input columns by their names in the output
   * @param input.columns columns of the rows of the input
   */
  async *keptRows(input: InputNames): AsyncGenerator<KeptRow[]> {
    const ids = this.#ids;
    if (ids === null) return;
    const isKept = (row: number) => {
      const isPresent = this.#texts.at(row).some((byte) => byte !== 0);
      const first = ids.find(ids.at(row));
      return isPresent && first !== null && this.#seen[first] === 0;
    };
    let any = false;
    for (let row = 0; row < this.header.rows && !any; row++) any = isKept(row);
    if (!any) return;
    let row = 0;
    for await (const slice of this.#readColumns(input)) {
      const kept: KeptRow[] = [];
      for (const given of slice) {
        if (row < this.header.rows && isKept(row)) kept.push({ ...given, oldRow: row });
        row += 1;
      }
      if (kept.length > 0) yield kept;
    }
    if (row !== this.header.rows) throw changed(this.#target.path, row, this.header.rows);
  }

  /** The ids and columns of all rows. */
  async *#readColumns({ renamed, columns: given }: InputNames): AsyncGenerator<FieldsRow[]> {
    const { path, format } = this.#target;
    const nameOf = (name: string) => renamed.get(name) ?? name;
    const stored = isTableFormat(format as 'parquet')
      ? readTableColumns(path, format as 'parquet')
      : readLineColumns(format === 'npy' ? idsPath(path) : path);
    yield* toFieldsRows(
      mapSlices(stored, (slice) => {
        if ('objects' in slice) {
          const renamedOf = (object: object) =>
            Object.fromEntries(Object.entries(object).map(([name, value]) => [nameOf(name), value]));
          return { ids: slice.ids, objects: slice.objects.map(renamedOf) };
        }
        const read = slice.columns.map(({ name, type }, n) =>
          asInput({ name: nameOf(name), type }, slice.values[n] ?? [], given),
        );
        return {
          ids: slice.ids,
          columns: read.map(({ column }) => column),
          values: read.map(({ values }) => values),
        };
      }),
    );
  }

  /**
   * Writes the vectors of all rows as float32 into a file, where every row can be read by its number. Every
   * float16 is a float32 too.
   */
  async copyVectors(path: string): Promise<void> {
    const { rows, dim } = this.header;
    const file = await open(path, 'w', 0o600);
    try {
      let copied = 0;
      const vectors = await openVectors(this.#target.path);
      for await (const slice of vectors.read({ asStored: true })) {
        const floats =
          slice.dim === dim
            ? slice.vectors
            : new Float32Array(slice.ids.length * (slice.dim === 0 ? dim : 0));
        if (floats.length !== slice.ids.length * dim) throw changed(this.#target.path, slice.dim, dim);
        await file.writeFile(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
        copied += slice.ids.length;
      }
      if (copied !== rows) throw changed(this.#target.path, copied, rows);
    } finally {
      await file.close();
    }
  }
}

/** What to do if an output cannot be appended to. */
export const START_OVER = 'replace --append by --overwrite to embed all rows again';

/**
 * Values of a stored column as a column of the input. Columns without values and those of mixed JSON are stored
 * as strings.
 */
function asInput(
  column: Column,
  values: readonly unknown[],
  input: readonly Column[],
): { column: Column; values: readonly unknown[] } {
  const { name, type } = column;
  if (values.every((value) => value === null)) return { column: { name, type: { kind: 'null' } }, values };
  const isJson = input.some((other) => other.name === name && other.type.kind === 'json');
  if (type.kind !== 'string' || !isJson) return { column, values };
  return { column: { name, type: { kind: 'json' } }, values: values.map(parseJson) };
}

/** The JSON value of a text; the text itself if it is none, because the column had only strings before. */
function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  try {
    return withExactNumbers(JSON.parse(text), text);
  } catch {
    return text;
  }
}

async function* mapSlices(
  slices: AsyncIterable<StoredColumns>,
  change: (slice: StoredColumns) => StoredColumns,
): AsyncGenerator<StoredColumns> {
  for await (const slice of slices) yield change(slice);
}

function changed(path: string, found: number, expected: number): CorruptError {
  return new CorruptError(
    'wrong-output',
    `${quote(path, 200)} changed while it was read: found ${found}, expected ${expected}`,
  );
}
