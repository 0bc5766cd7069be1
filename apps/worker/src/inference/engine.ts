/** The port behind which an inference thread finds its engine; `embed-engine.ts` is ours, tests and benchmarks bring others. */

import type { RowOutcome, TextInput, TextToken, Truncate } from '@embedmill/contract';
import type { ThreadTreatment } from './types.ts';

/** How a text is to be embedded. */
export interface EngineOptions {
  truncate: Truncate;
  treatment: ThreadTreatment;
  /** Whether the outcome says where the chunks of the text are. */
  chunkSpans: boolean;
  /**
   * Awaited between two chunks of a long text, so that it holds up nobody and is not taken for stuck. Throws when nobody
   * waits for the text any more; that must end it.
   */
  betweenChunks: () => Promise<void>;
}

/** How texts are taken apart. */
export interface TokenizeOptions {
  /** Whether [CLS] and [SEP] are among the tokens. */
  specialTokens: boolean;
}

/** An opened model: one text at a time. */
export interface Engine {
  /** Floats per vector. */
  readonly dim: number;
  /** 16 hexadecimal characters; results carry it, so that vectors of different models never meet. */
  readonly fingerprint: string;
  /** Milliseconds that the tokenizer took since the engine was opened; absent where nobody measures it. */
  readonly tokenizeMs?: number;
  /** Texts and chunks since then whose vectors were known from before; absent where nothing is remembered. */
  readonly repeats?: number;
  /**
   * Writes the vector of a text, or of its token ids, to `target` from `offset` on, or zeros when there is none.
   * Anything thrown becomes the verdict `failed` of this text alone.
   */
  embed(
    text: TextInput,
    target: Float32Array,
    offset: number,
    options: EngineOptions,
  ): RowOutcome | Promise<RowOutcome>;
  /** The tokens of a whole text. Anything thrown fails the call. */
  tokenize(text: string, options: TokenizeOptions): TextToken[];
  /** Gives the memory back; called once, when the thread stops. */
  close(): void | Promise<void>;
}

/** What a module must export to be a pool's `engineUrl`. */
export interface EngineModule {
  /** @param model what the pool's `prepare` returned: plain data, copied to each thread. */
  openEngine(model: unknown): Engine | Promise<Engine>;
}
