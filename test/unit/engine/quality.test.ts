/** How near the exact engine comes to full precision. */

import { readFileSync } from 'node:fs';
import { Embedder, prepareModel } from '@embedmill/embed';
import { ExactModel, packWeights } from '@embedmill/engine';
import { describe, expect, it } from 'vitest';
import { compileBuiltInExact } from '../../../packages/embed/src/prepare/built-in.ts';
import { TextTokenizer } from '../../../packages/embed/src/text/tokenizer.ts';
import {
  availableKernels,
  type EncoderShape,
  packOf,
  randomEncoder,
  randomTexts,
  SMALL_SHAPE,
  temporaryFile,
} from '../../support/encoder.ts';
import { AWKWARD_TEXTS, longText } from '../../support/texts.ts';
import { cacheDir, cosine } from '../embed/models.ts';
import { referenceVector } from './reference-forward.ts';

describe.skipIf(availableKernels().length === 0)('a vector of the exact engine', () => {
  it.each<[string, EncoderShape]>([
    ['heads of 32, mean pooling', SMALL_SHAPE],
    ['heads of 64, [CLS] pooling', { ...SMALL_SHAPE, width: 128, inner: 512, pooling: 'cls' }],
    ['one layer and an inner layer of 16', { ...SMALL_SHAPE, layers: 1, inner: 16 }],
  ])('is near that of plain loops in double precision: %s', (_, shape) => {
    const encoder = randomEncoder(shape, 5);
    const model = ExactModel.open(temporaryFile('weights.bin', packWeights(encoder)));
    const texts = randomTexts([1, 2, 7, 16, 17, 40, 70], shape.vocabulary, 3);
    const vectors = model.embed(packOf(texts));
    texts.forEach((ids, i) => {
      const vector = vectors.subarray(i * model.dim, (i + 1) * model.dim);
      expect(cosine(vector, Float32Array.from(referenceVector(encoder, ids)))).toBeGreaterThan(0.9985);
    });
    model.close();
  });

  it('is nearer to fp32 than the int8 graph, with the weights of all-MiniLM-L6-v2', async () => {
    const exact = ExactModel.open(temporaryFile('weights.bin', await compileBuiltInExact()));
    const texts = [
      ...readFileSync(new URL('../../fixtures/embed/sentences.txt', import.meta.url), 'utf8')
        .trim()
        .split('\n'),
      ...AWKWARD_TEXTS,
      longText(60),
      longText(400),
    ];
    const prepared = await prepareModel({ precision: 'fp32', cacheDir });
    const tokenizer = await TextTokenizer.read(prepared.tokenizerPath, prepared.maxTokens);
    const fp32 = await Embedder.open(prepared);
    const int8 = await Embedder.open(await prepareModel({ precision: 'int8', engine: 'onnx', cacheDir }));
    const exactCosines: number[] = [];
    const int8Cosines: number[] = [];
    for (const text of texts) {
      const expected = new Float32Array(exact.dim);
      await fp32.embed(text, expected, 0);
      const graph = new Float32Array(exact.dim);
      await int8.embed(text, graph, 0);
      const { ids } = tokenizer.encode(text, 'end');
      exactCosines.push(cosine(exact.embed(packOf([Int32Array.from(ids)])), expected));
      int8Cosines.push(cosine(graph, expected));
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(exactCosines)).toBeGreaterThan(0.9991);
    expect(Math.min(...exactCosines)).toBeGreaterThan(0.996);
    expect(mean(exactCosines)).toBeGreaterThan(mean(int8Cosines));
    expect(Math.min(...exactCosines)).toBeGreaterThan(Math.min(...int8Cosines));
    await fp32.close();
    await int8.close();
    exact.close();
  });
});
