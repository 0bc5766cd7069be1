/** Kernels that this CPU cannot run natively give the bytes of those that it can. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExactModel } from '@embedmill/engine';
import { expect, test } from 'vitest';
import { KERNELS } from '../../packages/engine/scripts/targets.mjs';
import { type EncoderShape, packOf, randomTexts, randomWeightFile, SMALL_SHAPE } from '../support/encoder.ts';
import {
  buildCommand,
  commandInput,
  isInstalled,
  localCompiler,
  runProgram,
} from '../support/engine-build.ts';
import { temporaryFolder } from '../support/folder.ts';

/** Shapes with both head sizes, a padded inner layer, and lengths around every block size. */
const SHAPES: [EncoderShape, number[]][] = [
  [SMALL_SHAPE, Array.from({ length: 80 }, (_, i) => i + 1).concat(127, 128, 129, 200, 255, 256)],
  [{ ...SMALL_SHAPE, width: 128, heads: 2, inner: 528, pooling: 'cls' }, [1, 2, 16, 17, 33, 64, 65, 100]],
  [{ ...SMALL_SHAPE, layers: 1, width: 384, heads: 12, inner: 1552 }, [3, 31, 66]],
];

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Runs `program embed` for every shape, alone and packed, and compares with the addon. */
async function expectSameBytes(command: readonly string[], kernel: string): Promise<void> {
  for (const [shape, lengths] of SHAPES) {
    const path = randomWeightFile(shape);
    const texts = randomTexts(lengths, shape.vocabulary);
    const model = ExactModel.open(path);
    const vectors = Buffer.concat(texts.map((ids) => Buffer.from(model.embed(packOf([ids])).buffer)));
    model.close();
    for (const packTokens of ['0', '256']) {
      const run = await runProgram([...command, 'embed', path, kernel, packTokens], commandInput(texts));
      expect(run, run.stderr).toMatchObject({ code: 0 });
      expect(digest(run.stdout), `${kernel}, packs of ${packTokens}`).toBe(digest(vectors));
    }
  }
}

const compiler = await localCompiler();
const isX64 = process.arch === 'x64';

test.skipIf(!isX64 || compiler === undefined)('AMX, with tiles in plain C++', async () => {
  const tiles = new URL('../fixtures/engine/emulated-tiles.h', import.meta.url).pathname;
  const program = await buildCommand({
    compiler: compiler!,
    arch: 'x64',
    folder: temporaryFolder(),
    flags: [`-DEMULATED_TILES="${tiles}"`],
  });
  await expectSameBytes([program], 'amx');
});

test.skipIf(!isX64 || compiler === undefined)('AVX-VNNI, in the encoding of AVX-512', async () => {
  const program = await buildCommand({
    compiler: compiler!,
    arch: 'x64',
    folder: temporaryFolder(),
    flags: ['-DEVEX_VNNI'],
    kernels: { ...KERNELS.x64, avxvnni: [...KERNELS.x64.avx2!, '-mavx512vl', '-mavx512vnni'] },
  });
  await expectSameBytes([program], 'avxvnni');
});

test.skipIf(!(await isInstalled('aarch64-linux-gnu-g++')) || !(await isInstalled('qemu-aarch64')))(
  'AArch64: all NEON kernels and the scalar one',
  async () => {
    const program = await buildCommand({
      compiler: 'aarch64-linux-gnu-g++',
      arch: 'arm64',
      folder: temporaryFolder(),
      linkFlags: ['-static'],
    });
    const emulated = ['qemu-aarch64', '-cpu', 'max', program];
    for (const kernel of ['neon-i8mm', 'neon-dotprod', 'neon', 'scalar'])
      await expectSameBytes(emulated, kernel);
  },
);

test.skipIf(!(await isInstalled('clang++')) || !(await isInstalled('wasm-ld')))(
  'WebAssembly: the SIMD kernel and the scalar one',
  async () => {
    const folder = temporaryFolder();
    const program = await buildCommand({
      compiler: 'clang++',
      arch: 'wasm32',
      folder,
      flags: ['--target=wasm32-wasi', '-fno-exceptions', '-mbulk-memory'],
      linkFlags: ['-Wl,--initial-memory=67108864', '-Wl,-z,stack-size=1048576'],
    });
    const runner = join(folder, 'run.mjs');
    writeFileSync(runner, RUN_WASI);
    for (const kernel of ['wasm', 'scalar']) {
      await expectSameBytes([process.execPath, '--no-warnings', runner, program], kernel);
    }
  },
);

/** Runs a WASI program that may read every file. */
const RUN_WASI = `
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const [path, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [path, ...args], preopens: { '/': '/' }, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(readFileSync(path), wasi.getImportObject());
process.exitCode = wasi.start(instance);
`;
