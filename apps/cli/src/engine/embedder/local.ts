/** Embeds texts in this process on one thread, for queries and evaluations. */

import { setImmediate } from 'node:timers/promises';
import type { Precision, StoredGlossary, Treatment } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { readModelFacts } from '@embedmill/embed/added-models';
import { readPrompt } from './treatment.ts';
import type { TextEmbedder, TextVectors } from './types.ts';

/** Texts offered to one run of the model, which takes as many as fit. */
const MAX_PACK_TEXTS = 64;

/** Dependencies and options of {@link openLocalEmbedder}. */
export interface LocalEmbedderDeps {
  config: Pick<Config, 'cacheDir' | 'engine' | 'kernel'>;
  /** Name of an added model, or a folder in the hub's layout; `null` for the built-in model. */
  model: string | null;
  precision: Precision;
  treatment: Treatment<StoredGlossary>;
  /** Prefix of documents. Default: that of the model for documents. */
  documentPrompt?: string | undefined;
  /** Checked between two texts; its reason is thrown. */
  signal: AbortSignal;
}

/** An embedder that also knows the tokens of texts. */
export interface LocalEmbedder extends TextEmbedder {
  /** Tokens of a text without special tokens, and how many of them the vocabulary does not know. */
  countPieces(text: string): { tokens: number; unknown: number };
}

/** Opens the model. @throws EmbedError when it cannot be opened */
export async function openLocalEmbedder({
  config,
  model,
  precision,
  treatment,
  documentPrompt,
  signal,
}: LocalEmbedderDeps): Promise<LocalEmbedder> {
  // Loaded on use: other commands start twice as fast without ONNX Runtime.
  const { Embedder, prepareModel, shareTokenizer } = await import('@embedmill/embed');
  const prepared = await prepareModel({
    model: model ?? undefined,
    precision,
    engine: config.engine,
    kernel: config.kernel,
    cacheDir: config.cacheDir,
  });
  const tokenizer = await shareTokenizer(prepared.tokenizerPath, config.cacheDir);
  const embedder = await Embedder.open(prepared, { tokenizer });
  const { dim, name } = prepared;
  const treatments = {
    text: treatment,
    document: { ...treatment, ...readPrompt(documentPrompt, 'document') },
  };
  return {
    name: `${name} ${prepared.precision}`,
    baseline: (await readModelFacts(model ?? undefined, config.cacheDir))?.baseline,
    async embed(texts, onText = () => {}, as = 'text'): Promise<TextVectors> {
      const vectors = new Float32Array(texts.length * dim);
      for (let row = 0; row < texts.length; ) {
        const rest = texts.slice(row, row + MAX_PACK_TEXTS);
        const outcomes = await embedder.embedPack(rest, vectors, row * dim, { treatment: treatments[as] });
        row += outcomes.length;
        onText(row);
        // The model blocks the thread; this lets signals and the progress bar run.
        await setImmediate();
        signal.throwIfAborted();
      }
      return { dim, vectors };
    },
    countPieces: (text) => embedder.countPieces(text),
    close: () => embedder.close(),
  };
}
