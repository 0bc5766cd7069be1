/** The row log: the rows of a run on disk; read for lost batches, results and reports. */

import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';
import { AppendedFile, type AppendedFileDeps } from '../process/disk/appended-file.ts';
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
 * The ledger knows the span of every batch; bytes after the last span belong to batches that are not in the ledger and
 * are cut off before the next append.
 */
export class RowLog {
  readonly #path: string;
  readonly #file: AppendedFile;

  private constructor(path: string, file: AppendedFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the row log of an existing run; nothing is written.
   * @param end end of the last batch in the ledger, in bytes
   * @throws {CorruptError} `corrupt-rows` when the file is missing
   */
  static async open(path: string, end: number, deps: AppendedFileDeps): Promise<RowLog> {
    const { size } = await stat(path).catch((error) => {
      throw asMissing(path, error);
    });
    return new RowLog(path, new AppendedFile(path, { end, isTorn: size > end }, deps));
  }

  /** Appends batches; when it resolves, they are on disk. Calls must not overlap. */
  async append(batches: readonly Buffer[]): Promise<RowSpan[]> {
    let offset = this.#file.end;
    await this.#file.append(Buffer.concat(batches));
    return batches.map((encoded) => {
      const span = { offset, bytes: encoded.byteLength, crc: crc32(encoded) };
      offset += encoded.byteLength;
      return span;
    });
  }

  /**
   * The rows of one batch.
   * @throws {CorruptError} `corrupt-rows` when the bytes do not match their checksum
   */
  async read(span: RowSpan): Promise<KeptRow[]> {
    // Opened for each batch, as for shards: no handle has to be kept and closed.
    const file = await open(this.#path, 'r').catch((error) => {
      throw asMissing(this.#path, error);
    });
    try {
      const bytes = Buffer.allocUnsafe(span.bytes);
      const { bytesRead } = await file.read(bytes, 0, span.bytes, span.offset);
      if (bytesRead !== span.bytes || crc32(bytes) !== span.crc) {
        throw new CorruptError('corrupt-rows', `${this.#path} is damaged at byte ${span.offset}`);
      }
      return JSON.parse(bytes.toString()) as KeptRow[];
    } finally {
      await file.close();
    }
  }

  /** Size of the batches in the ledger. */
  get bytes(): number {
    return this.#file.end;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function asMissing(path: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  return new CorruptError('corrupt-rows', `${path} is missing`, { cause: error });
}
