/** The rows of a run on disk, batch after batch; written by the intake, read again for lost batches, results and reports. */

import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';
import type { KeptRow } from './cut.ts';

/** Where the rows of one batch are. */
export interface RowSpan {
  offset: number;
  bytes: number;
  crc: number;
}

/** Rows as the bytes that go to disk. */
export function encodeRows(rows: readonly KeptRow[]): Buffer {
  return Buffer.from(`${JSON.stringify(rows)}\n`);
}

/** Tells whether two batches hold the same rows. */
export function digestRows(encoded: Buffer): string {
  return createHash('sha256').update(encoded).digest('base64url');
}

/**
 * What is in the file is known by the spans that the ledger keeps, so a torn end does no harm. Writes go to a position
 * and not to the end of the file: what a full disk broke off is written over by the next batches.
 */
export class RowLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #end: number;

  private constructor(path: string, file: FileHandle, end: number) {
    this.#path = path;
    this.#file = file;
    this.#end = end;
  }

  /** Opens or creates the file; bytes after `end` belong to batches that the ledger never heard of and are cut off. */
  static async open(path: string, end: number): Promise<RowLog> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const { size } = await file.stat();
    if (size > end) await file.truncate(end);
    return new RowLog(path, file, end);
  }

  /** Appends batches; when it resolves they are on the disk. Calls must not overlap. */
  async append(batches: readonly Buffer[]): Promise<RowSpan[]> {
    const bytes = Buffer.concat(batches);
    for (let written = 0; written < bytes.byteLength; ) {
      written += (await this.#file.write(bytes, written, undefined, this.#end + written)).bytesWritten;
    }
    await this.#file.datasync();
    return batches.map((encoded) => {
      const span = { offset: this.#end, bytes: encoded.byteLength, crc: crc32(encoded) };
      this.#end += encoded.byteLength;
      return span;
    });
  }

  /**
   * The rows of one batch.
   * @throws {CorruptError} `corrupt-rows` when the file is not what was written.
   */
  async read(span: RowSpan): Promise<KeptRow[]> {
    const bytes = Buffer.allocUnsafe(span.bytes);
    const { bytesRead } = await this.#file.read(bytes, 0, span.bytes, span.offset);
    if (bytesRead !== span.bytes || crc32(bytes) !== span.crc) {
      throw new CorruptError('corrupt-rows', `${this.#path} is damaged at byte ${span.offset}`);
    }
    return JSON.parse(bytes.toString()) as KeptRow[];
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
