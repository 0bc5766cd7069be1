/** Turns a text into the input of the model, or into the outcome of a text that needs no model. */

import {
  type ModelPrompts,
  type RowOutcome,
  type StoredGlossary,
  type TextInput,
  type Treatment,
  type Truncate,
  UNTREATED,
  unknownTokensOf,
} from '@embedmill/contract';
import { type Chunk, chunksOf } from '../text/long/chunks.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import { type ReadyTreatment, TreatmentReader } from '../text/treatment/treatment.ts';

/** Options that change the input of the model. */
export interface EncodeOptions {
  truncate: Truncate;
  treatment: Treatment<StoredGlossary>;
  /** Whether the outcome lists the chunks of the text. */
  chunkSpans: boolean;
}

/** A text over the limit that is embedded in chunks. */
export interface LongText {
  treated: string;
  ready: ReadyTreatment;
}

/** A text as the model gets it. */
export type EncodedText =
  /** The model is not needed: the text is empty or failed. */
  | { kind: 'settled'; outcome: RowOutcome }
  /**
   * One run of the model; `outcome` holds if it succeeds. `contentTokens`: tokens of the text that were read,
   * without special tokens and prompt.
   */
  | { kind: 'ids'; ids: readonly number[]; contentTokens: number; outcome: RowOutcome }
  /** One run per chunk; `extras` belong to the outcome. */
  | { kind: 'long'; long: LongText; extras: Pick<RowOutcome, 'replacements' | 'treated'> };

/** Token ids are embedded as they are. */
const TOKEN_IDS: Treatment<never> = { ...UNTREATED, inputType: 'none' };

/** Treats and tokenizes texts; an embedder owns one. */
export class InputEncoder {
  readonly #tokenizer: TextTokenizer;
  readonly #maxTokens: number;
  readonly #treatments: TreatmentReader;
  /** Treatment of the last text, kept because the rows of a batch share one. */
  #last: { treatment: Treatment<StoredGlossary>; ready: ReadyTreatment };
  #elapsedMs = 0;

  /**
   * @param maxTokens limit of the model, for messages
   * @param prompts of the model
   */
  constructor(tokenizer: TextTokenizer, maxTokens: number, prompts: ModelPrompts) {
    this.#treatments = new TreatmentReader(prompts);
    this.#tokenizer = tokenizer;
    this.#maxTokens = maxTokens;
    this.#last = { treatment: TOKEN_IDS, ready: this.#treatments.read(TOKEN_IDS) };
  }

  /** Milliseconds spent on treatment and tokenization so far. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /**
   * Encodes a text, or its token ids, to which no treatment applies. A text without tokens is empty; no token
   * ids are the special tokens alone, which have a vector.
   */
  encode(text: TextInput, options: EncodeOptions): EncodedText {
    const startedAt = performance.now();
    try {
      return this.#encode(text, options);
    } finally {
      this.#elapsedMs += performance.now() - startedAt;
    }
  }

  /** Yields the chunks of a treated text. */
  *split({ treated, ready }: LongText): Generator<Chunk> {
    yield* chunksOf(treated, this.#tokenizer.roomAfter(ready.prompt), (part) => {
      const startedAt = performance.now();
      const ids = this.#tokenizer.idsOf(part);
      this.#elapsedMs += performance.now() - startedAt;
      return ids;
    });
  }

  /** Returns a treatment that is ready to be applied. */
  read(treatment: Treatment<StoredGlossary>): ReadyTreatment {
    if (treatment !== this.#last.treatment) {
      this.#last = { treatment, ready: this.#treatments.read(treatment) };
    }
    return this.#last.ready;
  }

  #encode(text: TextInput, { truncate, treatment, chunkSpans }: EncodeOptions): EncodedText {
    const unknownId = typeof text === 'string' ? undefined : this.#tokenizer.describeUnknownId(text);
    if (unknownId !== undefined) return failure(unknownId, 0);
    const ready = this.read(typeof text === 'string' ? treatment : TOKEN_IDS);
    const { text: treated, replacements } =
      typeof text === 'string' ? ready.apply(text) : { text, replacements: 0 };
    const replaced = replacements > 0 ? { replacements } : {};
    const { ids, contentTokens, lostTokens, unknownTokens, ignoredTokens } = this.#tokenizer.encode(
      treated,
      truncate,
      ready.prompt,
    );
    const unknown = typeof text === 'string' && unknownTokens > 0 ? unknownTokensOf(text, unknownTokens) : {};
    if (contentTokens === 0 && typeof text === 'string') {
      const figures = { tokens: ignoredTokens, lostTokens: 0, ...replaced };
      const outcome: RowOutcome =
        ignoredTokens === 0
          ? { verdict: 'empty', ...figures }
          : {
              verdict: 'empty',
              ...figures,
              ...unknown,
              message: 'all tokens of the text are unknown to the model',
            };
      return { kind: 'settled', outcome };
    }
    if (this.#tokenizer.roomAfter(ready.prompt) === 0) {
      const message = `the prompt alone fills the limit of ${this.#maxTokens} tokens of the model`;
      return failure(message, contentTokens, replaced);
    }
    const changed = chunkSpans && typeof treated === 'string' && treated !== text ? { treated } : {};
    if (typeof treated === 'string' && lostTokens > 0 && ready.isChunked) {
      return { kind: 'long', long: { treated, ready }, extras: { ...replaced, ...changed } };
    }
    if (lostTokens > 0 && truncate === 'error') {
      const all = ids.length + lostTokens;
      const message = `the text has about ${all} tokens, expected at most ${this.#maxTokens}`;
      return failure(message, all, replaced);
    }
    const outcome: RowOutcome = {
      verdict: lostTokens > 0 ? 'truncated' : 'ok',
      tokens: ids.length + ignoredTokens,
      lostTokens,
      ...unknown,
      ...replaced,
    };
    if (chunkSpans && typeof treated === 'string' && lostTokens === 0) {
      outcome.chunkSpans = [{ start: 0, end: treated.length, tokens: contentTokens }];
      Object.assign(outcome, changed);
    }
    return { kind: 'ids', ids, contentTokens, outcome };
  }
}

function failure(
  message: string,
  lostTokens: number,
  extras: Pick<RowOutcome, 'replacements'> = {},
): EncodedText {
  return { kind: 'settled', outcome: { verdict: 'failed', tokens: 0, lostTokens, message, ...extras } };
}
