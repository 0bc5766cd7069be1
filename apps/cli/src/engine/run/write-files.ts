/** Writes all files of an output as drafts, in one pass over its rows. */

import { rm } from 'node:fs/promises';
import { encodeIds, encodeScales, FORMATS, npyHeader, type OutputRows } from '@embedmill/core/formats';
import { IndexDigests } from '../../io/append/index-digests.ts';
import { encodeRowIndex, headBytesOf, OutputHash, rowIndexPath } from '../../io/append/row-index.ts';
import { Broadcast } from '../../io/output/broadcast.ts';
import type { OutputDraft, OutputTarget } from '../../io/output/types.ts';
import { writeDraft } from '../../io/output/write-draft.ts';
import { idsPath, scalesPath } from '../../io/vectors/companions.ts';
import type { IndexedRows, OpenedRows } from './output-rows.ts';
import { writeShards } from './write-shards.ts';

/** Complete drafts; `null` for a file that the output does not have. */
export interface WrittenFiles {
  vectors: OutputDraft[];
  ids: OutputDraft | null;
  scales: OutputDraft | null;
  index: OutputDraft | null;
  /** {@link OutputHash} of the vectors; of shards, of none of them. */
  hash: string;
}

/** Writes the drafts; removes them all on failure. */
export async function writeFiles(
  opened: OpenedRows,
  { output, index }: { output: OutputTarget; index: IndexedRows | null },
  signal: AbortSignal,
): Promise<WrittenFiles> {
  const { path, format, dtype, encoding, shardRows } = output;
  const { counts, dim, columns, metadata, model, fingerprint } = opened;
  const hasIds = format === 'npy';
  const hasScales = hasIds && dtype === 'int8';
  const rows = new Broadcast(opened.rows, 1 + Number(hasIds) + Number(hasScales) + Number(index !== null));
  const shape = { rows: null, dim };
  const { head } = FORMATS[format];
  const headOf = head && ((all: number) => head({ rows: all, dim }, { dtype }));
  const encode = (source: AsyncIterable<OutputRows>) =>
    FORMATS[format].encode(source, shape, { encoding, dtype, columns, metadata });
  const allRows = () => counts.rows;
  const hash = new OutputHash(headBytesOf(format));

  const drafts: OutputDraft[] = [];
  const keep = async (draft: Promise<OutputDraft>): Promise<OutputDraft> => {
    drafts.push(await draft);
    return await draft;
  };
  const writeVectors = async (): Promise<OutputDraft[]> => {
    if (shardRows !== null) {
      const shards = await writeShards({ path, format, dtype, dim, shardRows, rows: rows.read(), encode });
      drafts.push(...shards);
      return shards;
    }
    const bytes = encode(rows.read());
    const chunks = index === null ? bytes : hashed(bytes, hash);
    return [await keep(writeDraft(path, chunks, { format, dtype, rows: allRows, head: headOf }))];
  };
  const writeIds = () =>
    keep(writeDraft(idsPath(path), encodeIds(rows.read(), columns), { format: 'jsonl', rows: allRows }));
  const writeScales = () =>
    keep(
      writeDraft(scalesPath(path), encodeScales(rows.read(), shape), {
        ...{ format: 'scales', rows: allRows },
        head: (all) => npyHeader([all]),
      }),
    );
  const digests = index === null ? null : new IndexDigests(index.digestsPath);
  const collectDigests = async () => {
    if (index !== null) await digests?.collect(index.spool.read(signal), rows.read());
  };
  const writeIndex = async (sha256: string): Promise<OutputDraft | null> => {
    if (index === null || digests === null) return null;
    const { options } = index;
    const header = { version: 1, rows: counts.rows, dim, model, fingerprint, options, sha256 } as const;
    const bytes = encodeRowIndex(header, digests.read());
    return await keep(writeDraft(rowIndexPath(path, sha256), bytes, { format: 'rows', rows: allRows }));
  };
  try {
    const [vectors, ids, scales] = await allOf(rows, [
      writeVectors(),
      hasIds ? writeIds() : null,
      hasScales ? writeScales() : null,
      collectDigests(),
    ]);
    const sha256 = hash.digest(headOf?.(counts.rows));
    return { vectors, ids, scales, index: await writeIndex(sha256), hash: sha256 };
  } catch (error) {
    for (const { draftPath } of drafts) await rm(draftPath, { force: true });
    throw error;
  } finally {
    await rows.close();
  }
}

/** Waits for all that read the rows. The first failure ends the others and is thrown when they have ended. */
async function allOf<Work extends readonly unknown[]>(
  rows: Broadcast<OutputRows>,
  work: Work,
): Promise<{ -readonly [Key in keyof Work]: Awaited<Work[Key]> }> {
  try {
    return await Promise.all(work);
  } catch (error) {
    rows.fail(error);
    await Promise.allSettled(work);
    throw error;
  }
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: OutputHash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
