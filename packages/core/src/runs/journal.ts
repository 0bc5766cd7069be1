/** A journal: an append-only file of JSON records that survives a crash at any byte. */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';

/**
 * One record is one line: eight hexadecimal digits of CRC-32, a space, JSON, a line feed. After a crash only
 * the last line can be incomplete or fail its checksum; it was never confirmed and is cut off. Damage before
 * the last line is an error.
 */
export class Journal<Entry> {
  readonly #file: FileHandle;
  #end: number;

  private constructor(file: FileHandle, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /**
   * Opens or creates the file and calls `replay` with every record in it, oldest first.
   * @throws {CorruptError} `corrupt-journal` for damage before the last line
   */
  static async open<Entry>(path: string, replay: (entry: Entry) => void): Promise<Journal<Entry>> {
    const file = await open(path, 'a+', 0o600);
    try {
      const bytes = await file.readFile();
      let start = 0;
      while (start < bytes.length) {
        const end = bytes.indexOf(0x0a, start);
        const entry = end < 0 ? undefined : parseLine<Entry>(bytes.subarray(start, end));
        if (entry === undefined) {
          if (end >= 0 && end < bytes.length - 1) {
            throw new CorruptError(
              'corrupt-journal',
              `${path} is damaged at byte ${start}, before its last record`,
            );
          }
          await file.truncate(start);
          break;
        }
        replay(entry);
        start = end + 1;
      }
      return new Journal<Entry>(file, start);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Appends records; when it resolves, they are on disk. */
  async append(entries: readonly Entry[]): Promise<void> {
    const lines = Buffer.from(entries.map(formatLine).join(''));
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
      this.#end += lines.byteLength;
    } catch (error) {
      // A partial record, written on a full disk, must not precede the next one. It was never confirmed.
      await this.#file.truncate(this.#end);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function formatLine(entry: unknown): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

function parseLine<Entry>(line: Buffer): Entry | undefined {
  const json = line.subarray(9);
  if (line[8] !== 0x20 || Number.parseInt(line.toString('latin1', 0, 8), 16) !== crc32(json))
    return undefined;
  return JSON.parse(json.toString()) as Entry;
}
