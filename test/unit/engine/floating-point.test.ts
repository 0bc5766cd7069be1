/** The host's floating-point environment does not reach the engine, nor the engine's the host. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ExactModel, packWeights } from '@embedmill/engine';
import { expect, it } from 'vitest';
import { nodeApiHeaders } from '../../../packages/engine/scripts/compiler.mjs';
import {
  availableKernels,
  packOf,
  randomEncoder,
  randomTexts,
  SMALL_SHAPE,
  temporaryFile,
} from '../../support/encoder.ts';
import { localCompiler } from '../../support/engine-build.ts';
import { temporaryFolder } from '../../support/folder.ts';

const compiler = await localCompiler();
const available = availableKernels();

it.skipIf(available.length === 0 || compiler === undefined)(
  'a thread that flushes denormals and rounds upward gets the same bytes, and keeps its own mode',
  async () => {
    const addon = join(temporaryFolder(), 'flush-to-zero.node');
    const source = new URL('../../fixtures/engine/flush-to-zero.cpp', import.meta.url).pathname;
    const isMac = process.platform === 'darwin';
    await promisify(execFile)(compiler!, [
      ...(isMac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-fPIC']),
      ...['-std=c++20', '-isystem', nodeApiHeaders, source, '-o', addon],
    ]);
    const module: { exports: { change?(): void; restore?(): void; read?(): number } } = { exports: {} };
    process.dlopen(module, addon);
    const { change, restore, read } = module.exports as Required<typeof module.exports>;

    // Gains so small that the embeddings are denormals, which LayerNorm then makes large.
    const encoder = randomEncoder(SMALL_SHAPE);
    const { gain, bias } = encoder.embeddingNorm;
    gain.set(gain.map((value) => value * 1e-39));
    bias.fill(0);
    for (const layer of encoder.layers) {
      for (const dense of [layer.attentionOutput, layer.output]) {
        dense.weight.fill(0);
        dense.bias.fill(0);
      }
      for (const norm of [layer.attentionNorm, layer.outputNorm]) {
        norm.gain.fill(1000);
        norm.bias.fill(0);
      }
    }
    const path = temporaryFile('weights.bin', packWeights(encoder));
    const pack = packOf(randomTexts([1, 5, 40], SMALL_SHAPE.vocabulary));
    for (const kernel of available) {
      const model = ExactModel.open(path, { kernel });
      const expected = Buffer.from(model.embed(pack).buffer);
      const before = read();
      change();
      const changed = read();
      const vectors = Buffer.from(model.embed(pack).buffer);
      const after = read();
      restore();
      expect(changed).not.toBe(before);
      expect(after).toBe(changed);
      expect(vectors.equals(expected), kernel).toBe(true);
      expect(expected.some((byte) => byte !== 0)).toBe(true);
      model.close();
    }
  },
);
