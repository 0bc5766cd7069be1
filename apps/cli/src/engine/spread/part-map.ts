/**
 * The part map: which producer has which part of a dataset.
 *
 * A file in the work folder with one byte per part, the position of the producer. Its byte is on disk before a
 * part is sent, so that a part which a killed command was sending never goes to another producer.
 */

import { open, readFile, rm } from 'node:fs/promises';
import { EmbedmillError } from '@embedmill/contract';

/** Maximum number of producers: a position is one byte. */
export const MAX_PRODUCERS = 255;

/** Parts are assigned in the order of their numbers, each once. */
export class PartMap {
  readonly #path: string;
  readonly #producers: number[];

  private constructor(path: string, producers: number[]) {
    this.#path = path;
    this.#producers = producers;
  }

  /** An empty map; replaces the file. */
  static async create(path: string): Promise<PartMap> {
    await rm(path, { force: true });
    return new PartMap(path, []);
  }

  /** The map of an earlier attempt. */
  static async read(path: string): Promise<PartMap> {
    const bytes = await readFile(path).catch((error) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    return new PartMap(path, [...bytes]);
  }

  /** Position of the producer of a part; `undefined` if the part has none yet. */
  producerOf(part: number): number | undefined {
    return this.#producers[part - 1];
  }

  /** Assigns the next part; resolves when that survives a power failure. */
  async assign(part: number, producer: number): Promise<void> {
    if (part !== this.#producers.length + 1) {
      throw new Error(`internal error: part ${part} is assigned after part ${this.#producers.length}`);
    }
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.writeFile(Buffer.of(producer));
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#producers.push(producer);
  }

  /**
   * Checks that a producer may have this part.
   * @throws {EmbedmillError} `part-map-damaged` if another producer should have it
   */
  confirm(part: number, producer: number): void {
    if (this.producerOf(part) === producer) return;
    throw new EmbedmillError(
      'part-map-damaged',
      `the file ${this.#path} does not say that producer ${producer + 1} has part ${part}; add --overwrite to start over`,
    );
  }
}
