/** The built-in static model, made from scratch: its table must have the recorded bytes on every machine. */

import { availableKernels, Embedder, prepareModel } from '@embedmill/embed';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

test.skipIf(availableKernels().length === 0)(
  'has the recorded bytes, and finds the sentence of similar meaning',
  async () => {
    // Making it compares its digest with data/static-model.json.
    const model = await prepareModel({ model: 'static', precision: 'int8', cacheDir: temporaryFolder() });
    expect(model).toMatchObject({ name: 'static', engine: 'static', dim: 256 });
    const embedder = await Embedder.open(model);
    const vectors = new Float32Array(3 * model.dim);
    const texts = ['The train was an hour late.', 'Our train arrived late.', 'She paints birds in oil.'];
    for (const [row, text] of texts.entries()) await embedder.embed(text, vectors, row * model.dim);
    await embedder.close();
    const cosine = (other: number) =>
      vectors
        .subarray(0, model.dim)
        .reduce((sum, value, i) => sum + value * vectors[other * model.dim + i]!, 0);
    expect(cosine(1)).toBeGreaterThan(cosine(2) + 0.3);
  },
);
