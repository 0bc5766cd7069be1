/**
 * Embeds a piece inside an inference thread, one row at a time, so that other pieces can run between two
 * rows.
 */

import type { RowOutcome } from '@embedmill/contract';
import { type BatchPayload, encodeBatchResult, readBatchPayload } from '@embedmill/core/batch';
import { countTurn, enterRow, isWithdrawn, leaveRow } from './claim.ts';
import type { Engine } from './engine.ts';
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
   * Embeds the next row. If the engine throws, only this row fails.
   * @param giveWay awaited between two chunks of a long text
   */
  async doNextRow(giveWay: () => Promise<void>): Promise<void> {
    const row = this.#outcomes.length;
    const { claim, truncate, treatment, chunkSpans } = this.#message;
    const betweenChunks = async () => {
      countTurn(claim);
      await giveWay();
      if (isWithdrawn(claim)) throw new Error('the result of this text is no longer needed');
    };
    const offset = row * this.#engine.dim;
    const { tokenizeMs: tokenizedBeforeMs = 0, repeats: repeatedBefore = 0 } = this.#engine;
    enterRow(claim, row);
    try {
      const input = this.#payload.input(row);
      const options = { truncate, treatment, chunkSpans, betweenChunks };
      this.#outcomes.push(await this.#engine.embed(input, this.#vectors, offset, options));
    } catch (thrown) {
      // Floats written before the throw must not look like a vector.
      this.#vectors.fill(0, offset, offset + this.#engine.dim);
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#outcomes.push({
        verdict: 'failed',
        tokens: 0,
        lostTokens: 0,
        message: `the engine threw: ${reason}`,
      });
    }
    leaveRow(claim);
    this.#tokenizeMs += (this.#engine.tokenizeMs ?? 0) - tokenizedBeforeMs;
    this.#repeats += (this.#engine.repeats ?? 0) - repeatedBefore;
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
    const { dim, fingerprint } = this.#engine;
    return encodeBatchResult({
      batch,
      rows: this.#payload.rows,
      dim,
      precision,
      fingerprint,
      vectors: this.#vectors,
      outcomes: this.#outcomes,
    });
  }
}
