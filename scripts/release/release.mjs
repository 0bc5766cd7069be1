/**
 * Prepares a release: `npm run release -- 0.2.0` sets the version everywhere, dates the changelog, commits and tags.
 * With `--dry-run` it prints what it would do, checks infra/Dockerfile, and prints how the images are built. Pushing the
 * tag publishes (.github/workflows/release.yml).
 */

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { workspaces } from '../lib/compile.mjs';
import { main } from '../lib/main.mjs';
import { ROOT } from '../lib/root.mjs';
import { printRelease } from './images.mjs';

const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const CHART = 'infra/helm/embedmill/Chart.yaml';
const UNRELEASED = '## [Unreleased]\n';

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [version = ''] = positionals;
  if (!VERSION.test(version)) throw new Error(`"${version}" is not a version such as 0.2.0`);
  const isDryRun = values['dry-run'];
  const tag = `v${version}`;
  if (git('tag', '--list', tag) !== '') throw new Error(`the tag ${tag} exists`);
  const pending = git('status', '--porcelain');
  if (pending !== '' && !isDryRun) throw new Error(`there are changes that are not committed:\n${pending}`);

  const changes = new Map([['CHANGELOG.md', await datedChangelog(version)]]);
  const folders = ['.', ...workspaces()];
  const names = new Set();
  const manifests = new Map();
  for (const folder of folders) {
    const manifest = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
    manifests.set(join(folder, 'package.json'), manifest);
    names.add(manifest.name);
  }
  for (const [path, manifest] of manifests) {
    manifest.version = version;
    for (const kind of ['dependencies', 'devDependencies']) {
      for (const name of Object.keys(manifest[kind] ?? {}))
        if (names.has(name)) manifest[kind][name] = version;
    }
    changes.set(path, `${JSON.stringify(manifest, null, 2)}\n`);
  }

  const chart = await readFile(join(ROOT, CHART), 'utf8');
  changes.set(CHART, chart.replace(/^(version|appVersion): .*$/gm, `$1: ${version}`));

  for (const path of changes.keys()) console.log(`${isDryRun ? 'would write' : 'writes'} ${path}`);
  if (isDryRun) {
    console.log(`would commit "Release ${version}" and tag ${tag}`);
    printRelease(version);
    return;
  }
  for (const [path, text] of changes) await writeFile(join(ROOT, path), text);
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  git('commit', '--all', '--message', `Release ${version}`);
  git('tag', '--annotate', tag, '--message', `Embedmill ${version}`);
  console.log(`Tagged ${tag}. Publish it with: git push --follow-tags`);
});

/** The changelog with the unreleased changes under the new version. */
async function datedChangelog(version) {
  const text = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const [before, after] = text.split(UNRELEASED);
  if (after === undefined) throw new Error('CHANGELOG.md has no heading "## [Unreleased]"');
  if (/^\s*## \[/.test(after)) throw new Error('CHANGELOG.md has nothing under "## [Unreleased]"');
  const today = new Date().toISOString().slice(0, 10);
  return `${before}${UNRELEASED}\n## [${version}] - ${today}\n${after}`;
}

function git(...args) {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}
