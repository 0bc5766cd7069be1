/**
 * Writes the packages that a release publishes: `npm run release:stage [folder]`, by default below `release/`; with
 * `--runtime` only ONNX Runtime for this platform.
 *
 * Each subfolder is a package for `npm publish`: the bundled command, the libraries that people import, and the
 * native code of this platform. Those of other platforms are built there (.github/workflows/release.yml).
 */

import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { main } from '../lib/main.mjs';
import { ROOT } from '../lib/root.mjs';
import { run } from '../lib/run.mjs';
import { setUp } from '../lib/setup.mjs';
import { bundle, COPIED, INSTALLED } from './bundle.mjs';
import { licenseFile, licensesOf } from './licenses.mjs';
import { commandManifest, libraryManifest, PLATFORMS, runtimeManifest } from './manifests.mjs';
import { sbomOf } from './sbom.mjs';

/** Packages that people import, in the order in which they depend on each other. */
const LIBRARIES = ['contract', 'client', 'engine', 'embed'];

const PLATFORM = `${process.platform}-${process.arch}`;

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runtime: { type: 'boolean', default: false } },
  });
  const target = resolve(positionals[0] ?? join(ROOT, 'release'));
  await rm(target, { recursive: true, force: true });
  if (PLATFORMS.onnxruntime.includes(PLATFORM)) {
    await stageRuntime(join(target, `onnxruntime-${PLATFORM}`));
  }
  if (values.runtime) return;
  await setUp({ model: false });
  await stageCommand(join(target, 'embedmill'));
  for (const name of LIBRARIES) await stageLibrary(name, join(target, name));
  await run('the exact engine', process.execPath, [
    join(ROOT, 'packages/engine/scripts/prebuilt.mjs'),
    target,
  ]);
  console.log(target);
});

async function stageCommand(folder) {
  await mkdir(join(folder, 'bin'), { recursive: true });
  const metafile = await bundle(folder);
  const bin = join(folder, 'bin/embedmill.mjs');
  await writeFile(bin, "#!/usr/bin/env node\nimport '../dist/main.js';\n");
  await chmod(bin, 0o755);
  const packages = licensesOf(metafile, COPIED);
  const manifest = commandManifest(INSTALLED);
  await writeFile(join(folder, 'assets/THIRD_PARTY_LICENSES.txt'), licenseFile(packages));
  await writeFile(join(folder, 'assets/sbom.cdx.json'), JSON.stringify(await sbomOf(packages, manifest)));
  await finish(folder, manifest, 'README.md');
}

async function stageLibrary(name, folder) {
  const source = `packages/${name}`;
  const isPublished = (path) => !/\.(map|node|key)$/.test(path);
  await cp(join(ROOT, source, 'dist'), join(folder, 'dist'), { recursive: true, filter: isPublished });
  if (name === 'embed') await cp(join(ROOT, source, 'data'), join(folder, 'data'), { recursive: true });
  await finish(folder, libraryManifest(source), `${source}/README.md`);
}

/** The unchanged files of onnxruntime-node for this platform. */
async function stageRuntime(folder) {
  const source = join(ROOT, 'node_modules/onnxruntime-node');
  const binaries = `bin/napi-v6/${process.platform}/${process.arch}`;
  await cp(join(source, binaries), join(folder, binaries), { recursive: true });
  await cp(join(source, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map'),
  });
  // The npm package states its licence and does not contain it.
  await cp(join(import.meta.dirname, 'onnxruntime-license.txt'), join(folder, 'LICENSE'));
  await writeManifest(folder, runtimeManifest(PLATFORM));
}

async function finish(folder, manifest, readme) {
  await cp(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  await cp(join(ROOT, 'NOTICE'), join(folder, 'NOTICE'));
  await writeFile(
    join(folder, 'README.md'),
    withAbsoluteLinks(await readFile(join(ROOT, readme), 'utf8'), manifest),
  );
  await writeManifest(folder, manifest);
}

async function writeManifest(folder, manifest) {
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Links and images into the repository, which a reader on npm does not have beside the page. */
function withAbsoluteLinks(markdown, { homepage }) {
  const repository = homepage.replace(/#.*$/, '');
  return markdown
    .replace(/(!\[[^\]]*\]\()(?!https?:|#)/g, `$1${repository}/raw/main/`)
    .replace(/(?<!!)(\[[^\]]*\]\()(?!https?:|#)/g, `$1${repository}/blob/main/`);
}
