/** Threads that help with a run change no byte and have no data race. */

import { createHash } from 'node:crypto';
import { ExactModel, kernels } from '@embedmill/engine';
import { describe, expect, it } from 'vitest';
import { type EncoderShape, packOf, randomTexts, randomWeightFile, SMALL_SHAPE } from '../support/encoder.ts';
import { buildCommand, commandInput, localCompiler, runProgram } from '../support/engine-build.ts';
import { temporaryFolder } from '../support/folder.ts';

const compiler = await localCompiler();
const arch = process.arch as 'x64' | 'arm64';
const available = kernels().filter((kernel) => kernel.available);

const ALL_LENGTHS = Array.from({ length: 256 }, (_, i) => i + 1);
/** Lengths around the sizes of blocks and chunks, for slow kernels and builds. */
const SOME_LENGTHS = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 128, 129, 200, 255, 256];
const WIDE_SHAPE: EncoderShape = { ...SMALL_SHAPE, width: 256, heads: 4, inner: 1040 };

function digestAlone(path: string, texts: readonly Int32Array[]): string {
  const model = ExactModel.open(path);
  const hash = createHash('sha256');
  for (const ids of texts) hash.update(new Uint8Array(model.embed(packOf([ids])).buffer));
  model.close();
  return hash.digest('hex');
}

/** Steps that helpers ran; expects the vectors of a run without them, alone and in packs. */
async function expectSameBytes(
  program: string,
  shape: EncoderShape,
  threads: number,
  lengthsOf: (kernel: string) => readonly number[],
): Promise<number> {
  const path = randomWeightFile(shape);
  let steps = 0;
  for (const { name } of available) {
    const texts = randomTexts(lengthsOf(name), shape.vocabulary);
    const expected = digestAlone(path, texts);
    for (const packTokens of ['0', '256']) {
      const command = [program, 'embed', path, name, packTokens, String(threads)];
      const { code, stdout, stderr } = await runProgram(command, commandInput(texts));
      expect(stderr).toMatch(/^\d+\n$/);
      expect(code).toBe(0);
      const digest = createHash('sha256').update(stdout).digest('hex');
      expect(digest, `${name}, packs of ${packTokens}, ${threads} threads`).toBe(expected);
      steps += Number(stderr);
    }
  }
  return steps;
}

describe.skipIf(process.platform !== 'linux' || compiler === undefined)(
  'threads that help with a run',
  () => {
    it('give the bytes of one thread on every kernel', async () => {
      const program = await buildCommand({ compiler: compiler!, arch, folder: temporaryFolder() });
      const lengthsOf = (kernel: string) => (kernel === 'scalar' ? SOME_LENGTHS : ALL_LENGTHS);
      for (const shape of [SMALL_SHAPE, WIDE_SHAPE]) {
        for (const threads of [2, 3, 4])
          expect(await expectSameBytes(program, shape, threads, lengthsOf)).toBeGreaterThan(0);
      }
    });

    it('have no data race, according to ThreadSanitizer', async () => {
      const flags = ['-fsanitize=thread', '-g', '-O1'];
      const program = await buildCommand({ compiler: compiler!, arch, folder: temporaryFolder(), flags });
      for (const threads of [2, 4])
        expect(await expectSameBytes(program, SMALL_SHAPE, threads, () => SOME_LENGTHS)).toBeGreaterThan(0);
    });
  },
);
