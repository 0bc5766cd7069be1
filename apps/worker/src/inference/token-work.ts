/** A piece whose rows are taken apart instead of embedded; the inference thread works on it, the pool reads what it wrote. */

import type { TextToken } from '@embedmill/contract';
import { type BatchPayload, readBatchPayload } from '@embedmill/core/batch';
import { enterRow, leaveRow } from './claim.ts';
import type { Engine, TokenizeOptions } from './engine.ts';
import type { PieceMessage } from './protocol.ts';

/** Rows of a piece and their tokens so far. */
export class TokenWork {
  readonly #message: PieceMessage;
  readonly #engine: Engine;
  readonly #options: TokenizeOptions;
  readonly #payload: BatchPayload;
  readonly #tokens: TextToken[][] = [];
  #tokenizeMs = 0;

  /** @throws {CorruptError} when the payload cannot be read. */
  constructor(message: PieceMessage, engine: Engine, options: TokenizeOptions) {
    this.#message = message;
    this.#engine = engine;
    this.#options = options;
    this.#payload = readBatchPayload(message.payload);
  }

  get isDone(): boolean {
    return this.#tokens.length === this.#payload.rows;
  }

  /** What the tokenizer took so far. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
  }

  /** Tokens are not remembered. */
  readonly repeats = 0;

  /** Takes the next row apart. */
  async doNextRow(): Promise<void> {
    const row = this.#tokens.length;
    enterRow(this.#message.claim, row);
    const startedAt = performance.now();
    this.#tokens.push(this.#engine.tokenize(this.#payload.text(row), this.#options));
    this.#tokenizeMs += performance.now() - startedAt;
    leaveRow(this.#message.claim);
  }

  /** The tokens of every row as JSON in a buffer of its own. */
  encode(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(JSON.stringify(this.#tokens));
  }
}

/** Reads what `TokenWork.encode` wrote. */
export function decodeTokens(bytes: Uint8Array): TextToken[][] {
  return JSON.parse(new TextDecoder().decode(bytes));
}
