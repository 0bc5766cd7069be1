/** The addon under AddressSanitizer and UndefinedBehaviorSanitizer, fed with damaged files and arbitrary packs. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compileAll, link, nodeApiHeaders } from '../../packages/engine/scripts/compiler.mjs';
import { ADDON_SOURCES } from '../../packages/engine/scripts/targets.mjs';
import { randomWeightFile, SMALL_SHAPE } from '../support/encoder.ts';
import { localCompiler, runProgram } from '../support/engine-build.ts';
import { temporaryFolder } from '../support/folder.ts';

const run = promisify(execFile);
const compiler = await localCompiler();
const FUZZ = new URL('../fixtures/engine/fuzz-addon.mjs', import.meta.url).pathname;
/** `EMBEDMILL_FUZZ_SECONDS=600 npm run test:engine` looks longer. */
const SECONDS = Number(process.env.EMBEDMILL_FUZZ_SECONDS ?? 30);
const SEED = Math.floor(Math.random() * 2 ** 32);
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-g', '-O1'];

describe.skipIf(process.platform !== 'linux' || compiler === undefined)('under sanitizers', () => {
  it('no file and no pack makes the addon touch memory that is not its own', async () => {
    const folder = temporaryFolder();
    const addon = join(folder, 'engine.node');
    const objects = await compileAll({
      compiler: compiler!,
      arch: process.arch as 'x64' | 'arm64',
      folder,
      flags: ['-fPIC', '-isystem', nodeApiHeaders, '-DNAPI_VERSION=8', ...SANITIZERS],
      sources: ADDON_SOURCES,
    });
    await link(compiler!, objects, addon, ['-shared', ...SANITIZERS]);
    const { stdout: library } = await run(compiler!, ['-print-file-name=libasan.so']);
    const weights = randomWeightFile({ ...SMALL_SHAPE, layers: 1, vocabulary: 60, positions: 70 });
    const environment = [`LD_PRELOAD=${library.trim()}`, 'ASAN_OPTIONS=detect_leaks=0'];
    const result = await runProgram([
      'env',
      ...environment,
      process.execPath,
      FUZZ,
      addon,
      weights,
      folder,
      String(SECONDS),
      String(SEED),
    ]);
    expect(result.stderr, `seed ${SEED}`).toBe('');
    expect(result).toMatchObject({ code: 0, signal: null });
    const counts = JSON.parse(result.stdout.toString());
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20);
  });
});
