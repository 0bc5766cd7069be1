/** The engine: one text in, one vector out. Every inference thread holds one. */
import { EmbedError } from '../errors.ts';
import { TextTokenizer } from '../text/tokenizer.ts';
import type { EmbedOptions, PreparedModel, RowOutcome, TextToken } from '../types.ts';
import { poolInto } from './pooling.ts';
import { ModelSession } from './session.ts';

export class Embedder {
  readonly model: PreparedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #session: ModelSession;
  #closed = false;
  #tokenizeMs = 0;

  private constructor(model: PreparedModel, tokenizer: TextTokenizer, session: ModelSession) {
    this.model = model;
    this.#tokenizer = tokenizer;
    this.#session = session;
  }

  /** @throws EmbedError when a file of the prepared model has gone or cannot be run */
  static async open(model: PreparedModel): Promise<Embedder> {
    const tokenizer = await TextTokenizer.read(model.tokenizerPath, model.maxTokens);
    const session = await ModelSession.open(model.modelPath, model);
    return new Embedder(model, tokenizer, session);
  }

  /**
   * Embeds one text by itself, at its exact length: the same text gives the same bytes whatever came before.
   * Blocks the calling thread while the model runs.
   *
   * @param text or the ids of its tokens, without `[CLS]` and `[SEP]`; an id that the vocabulary does not have fails it
   * @param target receives `model.dim` floats of a vector of length 1 at `offset`; zeros on `empty` and `failed`
   * @throws EmbedError `EMBEDDER_CLOSED`; a bad text is an outcome, never an exception
   */
  async embed(
    text: string | readonly number[],
    target: Float32Array,
    offset: number,
    options: EmbedOptions = {},
  ): Promise<RowOutcome> {
    if (this.#closed) throw new EmbedError('EMBEDDER_CLOSED', 'embed was called after close');
    const { dim, maxTokens, pooling } = this.model;
    const failed = (message: string, lostTokens: number): RowOutcome => {
      target.fill(0, offset, offset + dim);
      return { verdict: 'failed', tokens: 0, lostTokens, message };
    };

    const truncate = options.truncate ?? 'end';
    const stranger = typeof text === 'string' ? undefined : this.#tokenizer.findStranger(text);
    if (stranger !== undefined) return failed(stranger, 0);
    const startedAt = performance.now();
    const { ids, contentTokens, lostTokens } = this.#tokenizer.encode(text, truncate);
    this.#tokenizeMs += performance.now() - startedAt;
    if (contentTokens === 0) {
      target.fill(0, offset, offset + dim);
      return { verdict: 'empty', tokens: 0, lostTokens: 0 };
    }
    if (lostTokens > 0 && truncate === 'error') {
      const all = ids.length + lostTokens;
      return failed(`the text has about ${all} tokens, the model reads at most ${maxTokens}`, all);
    }
    try {
      const output = await this.#session.run(ids);
      if (!poolInto(target, offset, dim, output.values, pooling)) {
        return failed('the model gave no finite vector', contentTokens);
      }
    } catch (error) {
      return failed(`the model failed: ${error instanceof Error ? error.message : error}`, contentTokens);
    }
    return { verdict: lostTokens > 0 ? 'truncated' : 'ok', tokens: ids.length, lostTokens };
  }

  /** Milliseconds that `embed` has spent on tokenizing since `open`. */
  get tokenizeMs(): number {
    return this.#tokenizeMs;
  }

  /** Tokens of the whole text, `[CLS]` and `[SEP]` included, whatever the limit; always exact. */
  countTokens(text: string): number {
    return this.#tokenizer.count(text);
  }

  /** The tokens of the whole text, whatever the limit. */
  tokenize(text: string, options: { specialTokens: boolean }): TextToken[] {
    return this.#tokenizer.tokens(text, options);
  }

  /** Frees the session's memory; calling it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.close();
  }
}
