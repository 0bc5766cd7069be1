/** A journal: an append-only file of JSON records that survives a crash at any byte. */

import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';
import { AppendedFile, type AppendedFileDeps } from '../process/disk/appended-file.ts';

/**
 * One record is one line: eight hexadecimal digits of CRC-32, a space, JSON, a line feed. After a crash only
 * the last line can be incomplete or fail its checksum; it was never confirmed and is cut off before the next record is
 * written. Damage before the last line is an error. A new journal is a file with one `formatRecord`; opening one writes
 * nothing.
 */
export class Journal<Entry> {
  readonly #file: AppendedFile;

  private constructor(file: AppendedFile) {
    this.#file = file;
  }

  /**
   * Reads an existing journal and calls `replay` with every record in it, oldest first.
   * @throws {CorruptError} `corrupt-journal` for a file without a complete record, or damage before the last line; the
   *   records before the damage have been replayed
   * @throws the error of the file system, `ENOENT` when the file is missing
   */
  static async open<Entry>(
    path: string,
    replay: (entry: Entry) => void,
    deps: AppendedFileDeps,
  ): Promise<Journal<Entry>> {
    const bytes = await readFile(path);
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(0x0a, start);
      const entry = end < 0 ? undefined : parseRecord<Entry>(bytes.subarray(start, end));
      if (entry === undefined) {
        if (end >= 0 && end < bytes.length - 1) {
          throw new CorruptError(
            'corrupt-journal',
            `${path} is damaged at byte ${start}, before its last record`,
          );
        }
        break;
      }
      replay(entry);
      start = end + 1;
    }
    if (start === 0) {
      const what =
        bytes.length === 0 ? 'is empty' : `has ${bytes.length} bytes, but its first record is not complete`;
      throw new CorruptError('corrupt-journal', `${path} ${what}`);
    }
    return new Journal<Entry>(new AppendedFile(path, { end: start, isTorn: start < bytes.length }, deps));
  }

  /**
   * Appends records; when it resolves, they are on disk. Calls must not overlap.
   * @see AppendedFile.append for what a failure leaves
   */
  async append(entries: readonly Entry[]): Promise<void> {
    await this.#file.append(Buffer.from(entries.map(formatRecord).join('')));
  }

  /** Size of the complete records. */
  get bytes(): number {
    return this.#file.end;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** A record as a line of a journal. */
export function formatRecord(entry: unknown): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** The record in a line without its line feed; `undefined` if it is damaged. */
export function parseRecord<Entry>(line: Buffer): Entry | undefined {
  const json = line.subarray(9);
  if (line[8] !== 0x20 || Number.parseInt(line.toString('latin1', 0, 8), 16) !== crc32(json))
    return undefined;
  return JSON.parse(json.toString()) as Entry;
}
