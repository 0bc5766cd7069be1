/** No file, id, length or target that a caller gives ends the process: each is refused with a reason. */

import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, ExactModel, type Pack, packWeights } from '@embedmill/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  availableKernels,
  packOf,
  randomEncoder,
  randomTexts,
  randomWeightFile,
  SMALL_SHAPE,
  signWeights,
  temporaryFile,
} from '../../support/encoder.ts';
import { temporaryFolder } from '../../support/folder.ts';

const SHAPE = { ...SMALL_SHAPE, layers: 1, inner: 16, vocabulary: 50, positions: 20 };
const valid = packWeights(randomEncoder(SHAPE));
const available = availableKernels();

/** The error of opening a file with these bytes; undefined when it opens. */
function openError(bytes: Uint8Array): EngineError | undefined {
  try {
    ExactModel.open(temporaryFile('weights.bin', bytes)).close();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return error as EngineError;
  }
}

const changed = (change: (view: DataView, bytes: Uint8Array) => void) => {
  const bytes = valid.slice();
  change(new DataView(bytes.buffer), bytes);
  return bytes;
};

describe.skipIf(available.length === 0)('a number of threads', () => {
  it.each([0, -1, 4097])('of %d is refused', (threads) => {
    const path = temporaryFile('weights.bin', valid);
    expect(() => ExactModel.open(path, { threads })).toThrow(`expected 1 to 4096 threads, got ${threads}`);
  });
});

describe.skipIf(available.length === 0)('a weight file', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /has 0 bytes, expected at least 64/],
    ['of zeros', new Uint8Array(4096), /does not start with "emexact1"/],
    ['without its last byte', valid.subarray(0, -1), /has \d+ bytes, its header asks for \d+/],
    ['with one byte more', Uint8Array.from([...valid, 0]), /its header asks for/],
    ['cut behind the header', valid.subarray(0, 64), /has 64 bytes, its header asks for/],
    [
      'with a flipped bit in its weights',
      changed((_, bytes) => (bytes[5000]! ^= 1)),
      /checksum does not match/,
    ],
    ['with another epsilon', changed((view) => view.setFloat32(36, 1e-6, true)), /checksum does not match/],
    [
      'with no layers',
      changed((view) => view.setUint32(8, 0, true)),
      /layers is 0, expected .* from 1 to 64/,
    ],
    [
      'with a width of 65',
      changed((view) => view.setUint32(12, 65, true)),
      /width is 65, expected a multiple of 64/,
    ],
    [
      'with 3 heads',
      changed((view) => view.setUint32(16, 3, true)),
      /3 heads of a width of 64, expected heads of 32 or 64/,
    ],
    [
      'with a huge vocabulary',
      changed((view) => view.setUint32(24, 0xffffffff, true)),
      /vocabulary is 4294967295/,
    ],
    ['with 513 positions', changed((view) => view.setUint32(28, 513, true)), /positions is 513/],
    ['with an unknown pooling', changed((view) => view.setUint32(32, 2, true)), /pooling is 2/],
    [
      'with a NaN',
      signWeights(changed((view) => view.setFloat32(64 + 50 * 64, Number.NaN, true))),
      /holds the float -?nan/,
    ],
    [
      'with an infinity',
      signWeights(changed((view) => view.setFloat32(64 + 50 * 64, Infinity, true))),
      /holds the float inf/,
    ],
  ])('that is %s is refused', (_, bytes, message) => {
    const error = openError(bytes);
    expect(error?.code).toBe('weights-invalid');
    expect(error?.message).toMatch(message);
  });

  it('that is missing or a folder is refused', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    for (const name of ['missing', 'sub']) {
      expect(() => ExactModel.open(join(folder, name))).toThrow(
        expect.objectContaining({ code: 'weights-invalid', message: expect.stringContaining(name) }),
      );
    }
  });

  it('may be truncated or replaced while it is open', () => {
    const path = randomWeightFile(SHAPE);
    const texts = packOf(randomTexts([4, 9], SHAPE.vocabulary));
    const model = ExactModel.open(path);
    const before = model.embed(texts);
    truncateSync(path, 100);
    expect(model.embed(texts)).toEqual(before);
    expect(() => ExactModel.open(path)).toThrow(/its header asks for/);
    writeFileSync(path, packWeights(randomEncoder(SHAPE, 2)));
    const other = ExactModel.open(path);
    expect(other.embed(texts)).not.toEqual(before);
    expect(model.embed(texts)).toEqual(before);
    model.close();
    other.close();
  });

  it('with arbitrary weights under a valid checksum gives finite vectors, the same on every kernel', () => {
    const texts = packOf(randomTexts([1, 3, 17, 20], SHAPE.vocabulary));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 65), fc.nat(255)), { minLength: 1, maxLength: 400 }),
        (edits) => {
          const bytes = valid.slice();
          for (const [at, value] of edits) bytes[64 + at] = value;
          const path = temporaryFile('weights.bin', signWeights(bytes));
          const vectors = available.map((kernel) => {
            try {
              const model = ExactModel.open(path, { kernel });
              const result = model.embed(texts);
              model.close();
              expect(result.every(Number.isFinite)).toBe(true);
              return Buffer.from(result.buffer).toString('hex');
            } catch (error) {
              expect(error).toMatchObject({ code: 'weights-invalid' });
              return 'refused';
            }
          });
          expect(new Set(vectors).size).toBe(1);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });
});

describe.skipIf(available.length === 0)('a pack', () => {
  const ints = (...values: number[]) => Int32Array.from(values);

  it.each<[string, unknown, RegExp]>([
    [
      'an id below 0',
      { ids: ints(1, -1), lengths: ints(2) },
      /token id -1 at 1 is not in the vocabulary of 50/,
    ],
    ['an id beyond the vocabulary', { ids: ints(50), lengths: ints(1) }, /token id 50 at 0/],
    ['a huge id', { ids: ints(2 ** 31 - 1), lengths: ints(1) }, /token id 2147483647/],
    ['a text without tokens', { ids: ints(1), lengths: ints(1, 0) }, /text 1 has 0 tokens, expected 1 to 20/],
    ['a negative length', { ids: ints(1), lengths: ints(-5) }, /text 0 has -5 tokens/],
    ['a text beyond the positions', { ids: new Int32Array(21), lengths: ints(21) }, /text 0 has 21 tokens/],
    [
      'fewer ids than lengths',
      { ids: ints(1, 2), lengths: ints(2, 1) },
      /add up to 3 tokens, but there are 2 ids/,
    ],
    [
      'too many tokens',
      { ids: new Int32Array(4100), lengths: new Int32Array(205).fill(20) },
      /more than 4096 tokens/,
    ],
    [
      'too many texts',
      { ids: new Int32Array(5000), lengths: new Int32Array(5000).fill(1) },
      /more than 4096 texts/,
    ],
    [
      'ids of another type',
      { ids: new Float32Array(4), lengths: ints(4) },
      /expected the ids as an Int32Array/,
    ],
    ['no ids', { lengths: ints(4) }, /expected the ids as an Int32Array/],
    ['lengths of another type', { ids: ints(1), lengths: [1] }, /expected the lengths as an Int32Array/],
  ])('with %s is refused', (_, pack, message) => {
    const model = ExactModel.open(randomWeightFile(SHAPE));
    const target = new Float32Array(5000 * model.dim).fill(7);
    expect(() => model.embedInto(pack as Pack, target)).toThrow(
      expect.objectContaining({
        name: 'EngineError',
        code: 'input-invalid',
        message: expect.stringMatching(message),
      }),
    );
    expect(target.every((value) => value === 7)).toBe(true);
    model.close();
  });

  it('is refused for a target without room, and for a closed model', () => {
    const model = ExactModel.open(randomWeightFile(SHAPE));
    const pack = packOf(randomTexts([3, 4], SHAPE.vocabulary));
    const target = new Float32Array(3 * model.dim);
    for (const offset of [-1, model.dim + 1, 2 ** 53]) {
      expect(() => model.embedInto(pack, target, offset)).toThrow(
        /128 floats at -?\d+ do not fit into a target of 192/,
      );
    }
    expect(() => model.embedInto(pack, [] as never)).toThrow(/expected the target as a Float32Array/);
    model.embedInto(pack, target, model.dim);
    expect(target.subarray(0, model.dim).every((value) => value === 0)).toBe(true);
    model.close();
    model.close();
    expect(() => model.embed(pack)).toThrow(/the model is closed/);
  });

  it('without texts gives no vectors', () => {
    const model = ExactModel.open(randomWeightFile(SHAPE));
    expect(model.embed({ ids: new Int32Array(0), lengths: new Int32Array(0) })).toHaveLength(0);
    model.close();
  });

  it('of arbitrary ids and lengths is embedded or refused', () => {
    const model = ExactModel.open(randomWeightFile(SHAPE));
    const int32 = fc.oneof(
      fc.integer({ min: -2, max: 52 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    fc.assert(
      fc.property(fc.array(int32, { maxLength: 60 }), fc.array(int32, { maxLength: 6 }), (ids, lengths) => {
        const pack = { ids: Int32Array.from(ids), lengths: Int32Array.from(lengths) };
        try {
          expect(model.embed(pack).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'input-invalid' });
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
    model.close();
  });
});

describe.skipIf(available.length === 0)('a kernel', () => {
  it.each(['sse9', '', 'AVX2'])('named "%s" is refused with the names of those that there are', (kernel) => {
    expect(() => ExactModel.open(randomWeightFile(SHAPE), { kernel })).toThrow(
      expect.objectContaining({ code: 'kernel-unavailable', message: expect.stringContaining('scalar') }),
    );
  });
});
