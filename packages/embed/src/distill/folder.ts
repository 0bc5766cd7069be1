/** Writes a static model as a folder in the layout of model2vec, which that library and `prepareModel` read. */

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { staticTableFile } from '../embedder/static-table.ts';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import type { Distilled } from './distill.ts';

/**
 * Writes the folder under a temporary name beside `folder` and renames it.
 * @param source the model from which the table was made; its tokenizer is copied
 * @throws {EmbedError} `CACHE_UNWRITABLE` if it cannot be written, or exists and is not empty
 */
export async function writeStaticFolder(
  folder: string,
  { rows, dim }: Distilled,
  source: Pick<PreparedModel, 'name' | 'tokenizerPath'>,
): Promise<void> {
  // A static model has no vectors for special tokens and padding.
  const tokenizer = {
    ...JSON.parse(await readFile(source.tokenizerPath, 'utf8')),
    truncation: null,
    padding: null,
    post_processor: null,
  };
  const config = {
    model_type: 'model2vec',
    architectures: ['StaticModel'],
    tokenizer_name: source.name,
    apply_pca: dim,
    hidden_dim: dim,
    normalize: true,
    embedding_dtype: 'float16',
  };
  const modules = [
    { idx: 0, name: '0', path: '.', type: 'sentence_transformers.models.StaticEmbedding' },
    { idx: 1, name: '1', path: '1_Normalize', type: 'sentence_transformers.models.Normalize' },
  ];
  const copy = join(dirname(folder), `.${randomUUID()}`);
  try {
    await mkdir(copy, { recursive: true });
    const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
    await writeFile(join(copy, 'model.safetensors'), staticTableFile(rows, dim));
    await writeFile(join(copy, 'tokenizer.json'), JSON.stringify(tokenizer));
    await writeFile(join(copy, 'config.json'), json(config));
    await writeFile(join(copy, 'modules.json'), json(modules));
    await rename(copy, folder);
  } catch (cause) {
    await rm(copy, { recursive: true, force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EmbedError('CACHE_UNWRITABLE', `cannot write the static model to "${folder}": ${why}`, {
      cause,
    });
  }
}
