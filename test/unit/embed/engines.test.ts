/** Tests the choice of the engine, the runs that it packs, and fingerprints that state the arithmetic. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineChoice, RowOutcome, TextInput, Treatment } from '@embedmill/contract';
import { availableKernels, checkGolden, Embedder, type PreparedModel, prepareModel } from '@embedmill/embed';
import { WEIGHTS_REVISION } from '@embedmill/engine';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compileExact } from '../../../packages/embed/src/compile/exact.ts';
import {
  compileBuiltIn,
  compileBuiltInExact,
  readBuiltInWeights,
} from '../../../packages/embed/src/prepare/built-in.ts';
import { withOnnxFingerprint } from '../../../packages/embed/src/prepare/onnx-fingerprint.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { AWKWARD_TEXTS, EMPTY_TEXTS, longText, PLAIN_TEXTS } from '../../support/texts.ts';
import { bytesOf, cacheDir } from './models.ts';
import { smallBertFolder } from './small-bert.ts';

const kernels = availableKernels();
const isBuilt = kernels.length > 0;

async function open(model: PreparedModel, memoryBytes = 0): Promise<Embedder> {
  const embedder = await Embedder.open(model, { memoryBytes });
  onTestFinished(() => embedder.close());
  return embedder;
}

const prepare = (engine: EngineChoice, kernel = 'auto') =>
  prepareModel({ precision: 'int8', engine, kernel, cacheDir });

describe.runIf(isBuilt)('the choice of the engine', () => {
  test('follows the request', async () => {
    expect(await prepare('exact')).toMatchObject({ engine: 'exact', kernel: kernels[0] });
    const onnx = await prepare('onnx');
    expect(onnx).toMatchObject({ engine: 'onnx', sources: { engine: 'ONNX Runtime: as requested' } });
    expect(onnx).not.toHaveProperty('kernel');
  });

  test('is ONNX Runtime for fp32', async () => {
    const model = await prepareModel({ precision: 'fp32', engine: 'exact', cacheDir });
    expect(model).toMatchObject({
      engine: 'onnx',
      sources: { engine: 'ONNX Runtime: the exact engine does not compute fp32' },
    });
  });

  test('is the exact engine for a named kernel, even a slow one', async () => {
    expect(await prepare('auto', 'scalar')).toMatchObject({ engine: 'exact', kernel: 'scalar' });
  });

  test('quotes a kernel that does not run here', async () => {
    await expect(prepare('auto', 'sse9')).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: `"sse9" is not a kernel, expected auto, ${kernels.join(', ')}`,
    });
  });

  test('of a model that the exact engine does not take is ONNX Runtime, or an error if it is requested', async () => {
    // Heads of 16: smaller than the engine takes.
    const model = smallBertFolder();
    const auto = await prepareModel({ model, precision: 'int8', kernel: 'scalar', cacheDir });
    expect(auto.engine).toBe('onnx');
    expect(auto.sources.engine).toMatch(/^ONNX Runtime: the exact engine does not take /);
    await expect(prepareModel({ model, precision: 'int8', engine: 'exact', cacheDir })).rejects.toMatchObject(
      { code: 'MODEL_UNSUPPORTED' },
    );
  });
});

describe.runIf(isBuilt)('the weight file of the exact engine', () => {
  // A fingerprint must never stand for two different files. If this changes, increase WEIGHTS_REVISION.
  test('has the bytes of this revision', async () => {
    expect(WEIGHTS_REVISION).toBe(1);
    const digest = createHash('sha256')
      .update(await compileBuiltInExact())
      .digest('hex');
    expect(digest.slice(0, 16)).toBe('7a32d9f979d0e1c6');
  });
});

describe('texts in one run', () => {
  const LONG: Treatment<never> = { clean: [], long: 'mean', prompt: '', glossary: null };
  const POOL: TextInput[] = [
    ...PLAIN_TEXTS,
    ...AWKWARD_TEXTS,
    ...EMPTY_TEXTS,
    longText(90),
    longText(400),
    [2023, 2003],
    [],
    [999_999],
  ];

  /** Embeds all texts in as few calls as the embedder takes. Returns vectors, outcomes and calls. */
  async function embedAll(embedder: Embedder, texts: readonly TextInput[], treatment: Treatment<never>) {
    const { dim } = embedder.model;
    const vectors = new Float32Array(texts.length * dim);
    const outcomes: RowOutcome[] = [];
    let calls = 0;
    while (outcomes.length < texts.length) {
      const rest = texts.slice(outcomes.length);
      outcomes.push(...(await embedder.embedPack(rest, vectors, outcomes.length * dim, { treatment })));
      calls += 1;
    }
    return { vectors, outcomes, calls };
  }

  test.each([
    ['exact', 0],
    ['exact', 1024 * 1024],
    ['onnx', 0],
    ['onnx', 1024 * 1024],
  ] as const)(
    'have the vectors and outcomes that they have alone (%s, memory of %d bytes)',
    async (engine, memory) => {
      if (engine === 'exact' && !isBuilt) return;
      const model = await prepare(engine);
      const alone = await open(model);
      const packed = await open(model, memory);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...POOL), { maxLength: 25 }),
          fc.constantFrom('truncate', 'mean'),
          async (texts, long) => {
            const treatment = { ...LONG, long } as const;
            const { vectors, outcomes } = await embedAll(packed, texts, treatment);
            for (const [row, text] of texts.entries()) {
              const vector = new Float32Array(model.dim);
              expect(outcomes[row]).toEqual(await alone.embed(text, vector, 0, { treatment }));
              const own = vectors.subarray(row * model.dim, (row + 1) * model.dim);
              expect(bytesOf(own), `row ${row}`).toBe(bytesOf(vector));
            }
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  test.runIf(isBuilt)('are several with the exact engine, one with ONNX Runtime', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => PLAIN_TEXTS[i % PLAIN_TEXTS.length]!);
    const { calls } = await embedAll(await open(await prepare('exact')), texts, LONG);
    expect(calls).toBeLessThan(5);
    expect((await embedAll(await open(await prepare('onnx')), texts, LONG)).calls).toBe(40);
  });

  test.runIf(isBuilt)('are computed once if they are equal and vectors are kept', async () => {
    const embedder = await open(await prepare('exact'), 1024 * 1024);
    await embedAll(embedder, ['one', 'two', 'ONE', 'one', 'two'], LONG);
    expect(embedder.repeats).toBe(3);
  });
});

describe('the fingerprint', () => {
  test.runIf(isBuilt)('of the exact engine is the same with every kernel', async () => {
    const all = await Promise.all(kernels.map((kernel) => prepare('exact', kernel)));
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect((await prepare('onnx')).fingerprint).not.toBe(all[0]?.fingerprint);
  });

  test('of ONNX Runtime changes with what it computes, even for equal files', async () => {
    const model = await prepare('onnx');
    const again = await withOnnxFingerprint(model, 'files');
    expect((await withOnnxFingerprint(model, 'files')).fingerprint).toBe(again.fingerprint);
    // Weights of 7 bits stand for the kernels of another CPU.
    const modelPath = join(temporaryFolder(), 'other.onnx');
    writeFileSync(modelPath, await compileBuiltIn('int8', 63));
    const other = await withOnnxFingerprint({ ...model, modelPath }, 'files');
    expect(other.fingerprint).not.toBe(again.fingerprint);
  });
});

describe.runIf(isBuilt)('the golden check of the exact engine', () => {
  test.each(kernels)('passes with the kernel %s', async (kernel) => {
    expect(await checkGolden(await open(await prepare('exact', kernel)))).toMatchObject({ ok: true });
  });

  test('fails for other bytes, however close the vectors are', async () => {
    const model = await prepare('exact');
    const modelPath = join(temporaryFolder(), 'other.bin');
    writeFileSync(modelPath, compileExact(await readBuiltInWeights(), null, 'mean'));
    const report = await checkGolden(await open({ ...model, modelPath }));
    expect(report).toMatchObject({ ok: false, message: /gives other bytes than recorded/ });
  });
});
