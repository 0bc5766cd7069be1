/** The loader takes the optional package of its platform where no addon was built, if it has the same version. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { prebuiltPackage } from '@embedmill/engine';
import { beforeEach, describe, expect, it } from 'vitest';
import { availableKernels } from '../../support/encoder.ts';
import { temporaryFolder } from '../../support/folder.ts';

const ENGINE = fileURLToPath(new URL('../../../packages/engine', import.meta.url));
const addon = join(ENGINE, 'dist', 'engine.node');
const VERSION: string = JSON.parse(readFileSync(join(ENGINE, 'package.json'), 'utf8')).version;

describe.skipIf(availableKernels().length === 0)('an engine that was not built', () => {
  let modules: string;
  let engine: string;

  beforeEach(async () => {
    modules = join(temporaryFolder(), 'node_modules');
    engine = join(modules, '@embedmill/engine');
    await cp(join(ENGINE, 'dist'), join(engine, 'dist'), { recursive: true });
    await cp(join(ENGINE, 'package.json'), join(engine, 'package.json'));
    await rm(join(engine, 'dist', 'engine.node'));
  });

  async function install(version: string): Promise<void> {
    const folder = join(modules, prebuiltPackage());
    await mkdir(folder, { recursive: true });
    await cp(addon, join(folder, 'engine.node'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: prebuiltPackage(), version }));
  }

  /** Names of the kernels, or the message of the error. */
  async function load(): Promise<string> {
    const entry = pathToFileURL(join(engine, 'dist', 'index.js')).href;
    const program = `
      const { kernels } = await import(${JSON.stringify(entry)});
      try { console.log(kernels().map((kernel) => kernel.name).join(' ')); }
      catch (error) { console.log(error.code + ' ' + error.message); }`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      program,
    ]);
    return stdout.trim();
  }

  it('is loaded from the package of its platform', async () => {
    await install(VERSION);
    expect(await load()).toMatch(/ scalar$/);
  });

  it('is also loaded from there when the one that was built is damaged', async () => {
    await install(VERSION);
    await writeFile(join(engine, 'dist', 'engine.node'), 'no library');
    expect(await load()).toMatch(/ scalar$/);
  });

  it('names the package when it is not installed', async () => {
    const message = await load();
    expect(message).toMatch(/^engine-unavailable .*was not built/);
    expect(message).toContain(`the package ${prebuiltPackage()} is not installed`);
  });

  it('refuses a package of another version, which may compute other bytes', async () => {
    await install('0.0.9');
    expect(await load()).toContain(`${prebuiltPackage()} has version 0.0.9, expected ${VERSION}`);
  });
});
