/** Embeds texts in this process, on one thread; for a question or an evaluation, not for a bulk run. */

import { setImmediate } from 'node:timers/promises';
import type { Precision, StoredGlossary, Treatment } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { TextEmbedder, TextVectors } from './types.ts';

/** Which model. */
export interface LocalModel {
  config: Pick<Config, 'cacheDir'>;
  /** Folder in the hub's layout; `null` for the built-in all-MiniLM-L6-v2. */
  model: string | null;
  precision: Precision;
  treatment: Treatment<StoredGlossary>;
  /** Put before documents instead of the prompt of `treatment`; left out: nothing. */
  documentPrompt?: string;
  /** Ends the work between two texts. */
  signal: AbortSignal;
}

/** @throws EmbedError when the model cannot be opened */
export async function openLocalEmbedder({
  config,
  model,
  precision,
  treatment,
  documentPrompt = '',
  signal,
}: LocalModel): Promise<TextEmbedder> {
  // Loaded when it is needed: other commands start twice as fast without ONNX Runtime.
  const { Embedder, prepareModel } = await import('@embedmill/embed');
  const prepared = await prepareModel({ model: model ?? undefined, precision, cacheDir: config.cacheDir });
  const embedder = await Embedder.open(prepared);
  const { dim, name } = prepared;
  const treatments = { text: treatment, document: { ...treatment, prompt: documentPrompt } };
  return {
    name: `${name} ${prepared.precision}`,
    async embed(texts, onText = () => {}, as = 'text'): Promise<TextVectors> {
      const vectors = new Float32Array(texts.length * dim);
      for (const [row, text] of texts.entries()) {
        await embedder.embed(text, vectors, row * dim, { treatment: treatments[as] });
        onText(row + 1);
        // The model blocks the thread; signals and the progress bar have their turn here.
        await setImmediate();
        signal.throwIfAborted();
      }
      return { dim, vectors };
    },
    close: () => embedder.close(),
  };
}
