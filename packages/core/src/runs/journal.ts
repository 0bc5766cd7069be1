/** An append-only file of JSON records that survives a crash at any byte; the ledger of a run is kept in one. */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CorruptError } from '@embedmill/contract';

/**
 * One record is one line: eight hexadecimal digits of CRC-32, a space, JSON, a line feed. A line that is cut short or
 * does not match its checksum can only be the last one, written when the machine went down; it was never confirmed to
 * anybody and is cut off. Damage before the last line is an error.
 */
export class Journal<Entry> {
  readonly #file: FileHandle;
  #end: number;

  private constructor(file: FileHandle, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /**
   * Opens or creates the file and gives every record in it to `replay`, oldest first.
   * @throws {CorruptError} `corrupt-journal` for damage that a crash cannot explain.
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
              `${path} is damaged at byte ${start}, with records after it`,
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

  /** Appends records; when it resolves they are on the disk. */
  async append(entries: readonly Entry[]): Promise<void> {
    const lines = Buffer.from(entries.map(formatLine).join(''));
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
      this.#end += lines.byteLength;
    } catch (error) {
      // What a full disk broke off must not stand before the next record. Nobody was told that it is there.
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
