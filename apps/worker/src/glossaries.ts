/** Fetches glossaries from Redis, each once, in memory that all threads share; bulk and interactive work ask for them. */

import { type Treatment, UnavailableError } from '@embedmill/contract';
import type { WorkerExchange } from '@embedmill/core/redis';
import type { ThreadTreatment } from './inference/index.ts';

/** Glossaries kept: runs at a time are few, and a thread keeps what it has read. */
const KEPT = 8;

/** Treatments with all that threads need for them. */
export class Glossaries {
  readonly #exchange: Pick<WorkerExchange, 'readGlossary'>;
  readonly #known = new Map<string, Uint8Array>();

  constructor(exchange: Pick<WorkerExchange, 'readGlossary'>) {
    this.#exchange = exchange;
  }

  /**
   * The treatment with its glossary.
   * @throws {UnavailableError} `no-glossary`: Redis has lost it; its producer brings it back when it looks after the run
   */
  async resolve({ glossary: id, ...rest }: Treatment): Promise<ThreadTreatment> {
    // Jobs of a producer that knows of no glossaries have none.
    if (id === null || id === undefined) return { ...rest, glossary: null };
    const content = this.#known.get(id) ?? (await this.#fetch(id));
    return { ...rest, glossary: { id, content } };
  }

  async #fetch(id: string): Promise<Uint8Array> {
    const bytes = await this.#exchange.readGlossary(id);
    if (bytes === null) throw new UnavailableError('no-glossary', `the glossary ${id} is not in Redis now`);
    const content = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
    content.set(bytes);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= KEPT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(id, content);
    return content;
  }
}
