/**
 * Fetches each glossary once from Redis into memory that all threads share, for bulk and interactive work.
 */

import { type StoredGlossary, type Treatment, UnavailableError } from '@embedmill/contract';
import type { WorkerExchange } from '@embedmill/core/redis';

/** Maximum glossaries kept: few runs are active at a time, and a thread keeps what it has read. */
const MAX_GLOSSARIES = 8;

/** Adds the contents of glossaries to treatments; keeps the last few. */
export class Glossaries {
  readonly #exchange: Pick<WorkerExchange, 'readGlossary'>;
  readonly #known = new Map<string, Uint8Array>();

  constructor(exchange: Pick<WorkerExchange, 'readGlossary'>) {
    this.#exchange = exchange;
  }

  /**
   * Returns the treatment with the content of its glossary, in shared memory.
   * @throws {UnavailableError} `no-glossary` if Redis has lost it; the producer stores it again when it
   * checks the run
   */
  async resolve({ glossary: id, ...rest }: Treatment): Promise<Treatment<StoredGlossary>> {
    // `undefined`: jobs of producers before glossaries existed lack the field.
    if (id === null || id === undefined) return { ...rest, glossary: null };
    const content = this.#known.get(id) ?? (await this.#fetch(id));
    return { ...rest, glossary: { id, content } };
  }

  async #fetch(id: string): Promise<Uint8Array> {
    const bytes = await this.#exchange.readGlossary(id);
    if (bytes === null) throw new UnavailableError('no-glossary', `glossary ${id} is not in Redis`);
    const content = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
    content.set(bytes);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_GLOSSARIES && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(id, content);
    return content;
  }
}
