/**
 * Embeds a piece inside an inference thread, a few rows at a time, so that other pieces can run in between.
 */

import type { RowOutcome, TextInput } from '@embedmill/contract';
import { type BatchPayload, encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import { countTurn, enterRow, isWithdrawn, leaveRow } from './claim.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { PieceMessage } from './protocol.ts';

/** A piece in progress: its rows, and the vectors and outcomes so far. */
export class PieceWork {
  readonly #message: PieceMessage;
  readonly #engine: Engine;
  readonly #payload: BatchPayload;
  readonly #vectors: Float32Array;
  readonly #outcomes: RowOutcome[] = [];
  #tokenizeMs = 0;
  #repeats = 0;

  /** @throws {CorruptError} if the payload cannot be read */
  constructor(message: PieceMessage, engine: Engine) {
    this.#message = message;
    this.#engine = engine;
    this.#payload = readBatchPayload(message.payload);
    this.#vectors = new Float32Array(this.#payload.rows * engine.dim);
  }

  /** Whether every row has an outcome. */
  get isDone(): boolean {
    return this.#outcomes.length === this.#payload.rows;
  }

  /**
   * Embeds the next row, or the next rows that the engine computes together. If the engine throws, only one
   * row fails.
   * @param giveWay awaited between two chunks of a long text
   */
  async doNextRows(giveWay: () => Promise<void>): Promise<void> {
    const row = this.#outcomes.length;
    const { claim, truncate, treatment, chunkSpans } = this.#message;
    const betweenChunks = async () => {
      countTurn(claim);
      await giveWay();
      if (isWithdrawn(claim)) throw new Error('the result of this text is no longer needed');
    };
    const options = { truncate, treatment, chunkSpans, betweenChunks };
    const { tokenizeMs: tokenizedBeforeMs = 0, repeats: repeatedBefore = 0 } = this.#engine;
    enterRow(claim, row);
    for (const outcome of (await this.#embedPack(row, options)) ?? [await this.#embedAlone(row, options)]) {
      this.#outcomes.push(outcome);
    }
    leaveRow(claim);
    this.#tokenizeMs += (this.#engine.tokenizeMs ?? 0) - tokenizedBeforeMs;
    this.#repeats += (this.#engine.repeats ?? 0) - repeatedBefore;
  }

  /** Returns undefined if rows of this piece are embedded alone, or the engine threw. */
  async #embedPack(row: number, options: EngineOptions): Promise<RowOutcome[] | undefined> {
    const { dim } = this.#engine;
    if (this.#message.oneByOne || this.#engine.embedPack === undefined) return undefined;
    try {
      return await this.#engine.embedPack(this.#inputs(row), this.#vectors, row * dim, options);
    } catch {
      return undefined;
    }
  }

  async #embedAlone(row: number, options: EngineOptions): Promise<RowOutcome> {
    const offset = row * this.#engine.dim;
    try {
      return await this.#engine.embed(this.#payload.input(row), this.#vectors, offset, options);
    } catch (thrown) {
      // Floats written before the throw must not look like a vector.
      this.#vectors.fill(0, offset, offset + this.#engine.dim);
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return { verdict: 'failed', tokens: 0, lostTokens: 0, message: `the engine threw: ${reason}` };
    }
  }

  *#inputs(from: number): Generator<TextInput> {
    for (let row = from; row < this.#payload.rows; row++) yield this.#payload.input(row);
  }

  /** Milliseconds spent in the tokenizer so far; 0 if the engine does not measure it. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
  }

  /** Texts and chunks so far whose vectors the engine had in memory. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Encodes the finished piece as a batch result in a new buffer. */
  encode(): Uint8Array<ArrayBuffer> {
    const { batch, precision } = this.#message;
    const { dim, fingerprint, specialTokens = 0 } = this.#engine;
    return encodeBatchResult({
      batch,
      rows: this.#payload.rows,
      dim,
      precision,
      fingerprint,
      vectors: this.#vectors,
      outcomes: this.#outcomes,
      specialTokens,
    });
  }
}
