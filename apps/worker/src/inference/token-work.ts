/**
 * Tokenizes a piece instead of embedding it: the work inside an inference thread, and the decoder for the
 * pool.
 */

import type { TextToken } from '@embedmill/contract';
import { type BatchPayload, readBatchPayload } from '@embedmill/core/batch';
import { enterRow, leaveRow } from './claim.ts';
import type { Engine, TokenizeOptions } from './engine.ts';
import type { PieceMessage } from './protocol.ts';

/** A piece in progress: its rows, and their tokens so far. */
export class TokenWork {
  readonly #message: PieceMessage;
  readonly #engine: Engine;
  readonly #options: TokenizeOptions;
  readonly #payload: BatchPayload;
  readonly #tokens: TextToken[][] = [];
  #tokenizeMs = 0;

  /** @throws {CorruptError} if the payload cannot be read */
  constructor(message: PieceMessage, engine: Engine, options: TokenizeOptions) {
    this.#message = message;
    this.#engine = engine;
    this.#options = options;
    this.#payload = readBatchPayload(message.payload);
  }

  /** Whether every row is tokenized. */
  get isDone(): boolean {
    return this.#tokens.length === this.#payload.rows;
  }

  /** Milliseconds spent in the tokenizer so far. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
  }

  /** Always 0, because tokens are not kept in memory. */
  readonly repeats = 0;

  /** Tokenizes the next row. */
  async doNextRows(): Promise<void> {
    const row = this.#tokens.length;
    enterRow(this.#message.claim, row);
    const startedAt = performance.now();
    this.#tokens.push(this.#engine.tokenize(this.#payload.text(row), this.#options));
    this.#tokenizeMs += performance.now() - startedAt;
    leaveRow(this.#message.claim);
  }

  /** Encodes the tokens of every row as JSON in a new buffer. */
  encode(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(JSON.stringify(this.#tokens));
  }
}

/** Decodes the bytes of `TokenWork.encode`: one list of tokens per row. */
export function decodeTokens(bytes: Uint8Array): TextToken[][] {
  return JSON.parse(new TextDecoder().decode(bytes));
}
