/**
 * The row index of an output: what `--append` must know of its rows, in a hidden file beside it.
 *
 * Layout: 8 bytes of magic, the length of the header (uint32, little-endian), the header as JSON, padding to a
 * multiple of 16 bytes, the text digests of all rows, the id digests of all rows. A row without a vector has a
 * text digest of zeros, so that it is embedded again.
 *
 * The name holds the first digits of the SHA-256 of the output. A new index therefore never replaces the old
 * one, and whichever output exists after a crash has its own. Decision: docs/decisions/0150-append-by-a-row-index.md.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FormatName } from '@embedmill/contract';
import { NPY_HEADER_BYTES } from '@embedmill/core/formats';
import { DIGEST_BYTES } from './digest.ts';

/** Options that determine the vectors, by the names of the options. */
export type VectorOptions = Readonly<Record<string, string | number | null>>;

/** What an index says about its output. */
export interface RowIndexHeader {
  /** Format version of this file. */
  readonly version: 1;
  readonly rows: number;
  /** Numbers per vector. */
  readonly dim: number;
  readonly model: string;
  /** `null` if no row was embedded. */
  readonly fingerprint: string | null;
  readonly options: VectorOptions;
  /** {@link OutputHash} of the output, in hexadecimal; of an .npy of an earlier version, SHA-256 of its bytes. */
  readonly sha256: string;
}

/** The digests of some rows, 16 bytes per row. */
export interface RowDigests {
  readonly textDigests: Uint8Array;
  readonly idDigests: Uint8Array;
}

/** An opened index. */
export interface RowIndex extends RowIndexHeader {
  /** The digests of all rows, of their texts or of their ids; a row without a vector has zeros as text. */
  readDigests(of: 'texts' | 'ids'): Promise<Uint8Array>;
}

const MAGIC = Buffer.from('EMROWS01', 'latin1');

const HASH_CHARS = 16;

/** The name of the index of an output with this SHA-256. */
export function rowIndexPath(outputPath: string, sha256: string): string {
  return join(dirname(outputPath), `.${basename(outputPath)}.${sha256.slice(0, HASH_CHARS)}.rows`);
}

/** The indexes of an output and of its earlier versions. */
export async function rowIndexesOf(outputPath: string): Promise<string[]> {
  const prefix = `.${basename(outputPath)}.`;
  const isIndex = (name: string) =>
    name.startsWith(prefix) && /^[0-9a-f]{16}\.rows$/.test(name.slice(prefix.length));
  const folder = dirname(outputPath);
  return (await readdir(folder)).filter(isIndex).map((name) => join(folder, name));
}

/** Removes the indexes of earlier versions. */
export async function removeOldIndexes(outputPath: string, sha256: string): Promise<void> {
  const kept = rowIndexPath(outputPath, sha256);
  for (const path of await rowIndexesOf(outputPath)) if (path !== kept) await rm(path, { force: true });
}

/** The bytes of an index. @param digests the text digests of all rows, then the id digests */
export async function* encodeRowIndex(
  header: RowIndexHeader,
  digests: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const json = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(startOf(json.length));
  MAGIC.copy(start);
  start.writeUInt32LE(json.length, MAGIC.length);
  json.copy(start, MAGIC.length + 4);
  yield start;
  yield* digests;
}

/** Opens an index; `null` if it is damaged or of another version. */
export async function openRowIndex(path: string): Promise<RowIndex | null> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const head = await readAt(file, 0, Math.min(size, MAGIC.length + 4));
    if (head.length < MAGIC.length + 4 || !head.subarray(0, MAGIC.length).equals(MAGIC)) return null;
    const jsonBytes = head.readUInt32LE(MAGIC.length);
    const start = startOf(jsonBytes);
    if (start > size) return null;
    const header = parseHeader((await readAt(file, head.length, jsonBytes)).toString('utf8'));
    if (header?.version !== 1) return null;
    const bytes = header.rows * DIGEST_BYTES;
    if (size !== start + 2 * bytes) return null;
    return {
      ...header,
      readDigests: (of) =>
        withFile(path, (again) => readAt(again, of === 'texts' ? start : start + bytes, bytes)),
    };
  });
}

/** `null` if the bytes are damaged. */
function parseHeader(json: string): RowIndexHeader | null {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/**
 * SHA-256 of an output, computed while it is written: its first bytes are hashed last, if they hold the number of
 * rows, which is known only then.
 */
export class OutputHash {
  readonly #hash = createHash('sha256');
  readonly #head: Uint8Array;
  #headBytes = 0;

  /** @param headBytes number of the first bytes that are hashed last */
  constructor(headBytes: number) {
    this.#head = new Uint8Array(headBytes);
  }

  /** Adds the next bytes. */
  update(chunk: Uint8Array): void {
    const head = chunk.subarray(0, this.#head.length - this.#headBytes);
    this.#head.set(head, this.#headBytes);
    this.#headBytes += head.length;
    this.#hash.update(chunk.subarray(head.length));
  }

  /** The hash in hexadecimal. @param head first bytes, if they have changed since */
  digest(head: Uint8Array = this.#head.subarray(0, this.#headBytes)): string {
    return this.#hash.update(head).digest('hex');
  }
}

/** Number of the first bytes that {@link OutputHash} hashes last. */
export function headBytesOf(format: FormatName): number {
  return format === 'npy' ? NPY_HEADER_BYTES : 0;
}

/** {@link OutputHash} of a file. */
export async function hashOfFile(path: string, headBytes: number): Promise<string> {
  const hash = new OutputHash(headBytes);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest();
}

function startOf(jsonBytes: number): number {
  return Math.ceil((MAGIC.length + 4 + jsonBytes) / DIGEST_BYTES) * DIGEST_BYTES;
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  return work(file).finally(() => file.close());
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.from(new ArrayBuffer(length));
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) throw new Error('internal error: the row index became shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}
