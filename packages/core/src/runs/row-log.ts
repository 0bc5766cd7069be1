/** The row log: the rows of a run on disk; read for lost batches, results and reports. */

import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';
import type { KeptRow } from './cut.ts';

/** Position and checksum of the rows of one batch in the file. */
export interface RowSpan {
  offset: number;
  bytes: number;
  /** CRC-32 of these bytes. */
  crc: number;
}

/** Rows → bytes on disk: one line of JSON. */
export function encodeRows(rows: readonly KeptRow[]): Buffer {
  return Buffer.from(`${JSON.stringify(rows)}\n`);
}

/** SHA-256 of encoded rows in base64url; equal digests mean equal rows. */
export function digestRows(encoded: Buffer): string {
  return createHash('sha256').update(encoded).digest('base64url');
}

/**
 * The ledger knows the span of every batch, so a torn end does no harm. Writes go to a position, not to the
 * end of the file: what a failed write left behind is overwritten by the next batches.
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

  /**
   * Opens or creates the file; bytes after `end` belong to batches that are not in the ledger and are cut
   * off.
   */
  static async open(path: string, end: number): Promise<RowLog> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const { size } = await file.stat();
    if (size > end) await file.truncate(end);
    return new RowLog(path, file, end);
  }

  /** Appends batches; when it resolves, they are on disk. Calls must not overlap. */
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
   * @throws {CorruptError} `corrupt-rows` when the bytes do not match their checksum
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
