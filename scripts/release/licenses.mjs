/** Collects the licences of the packages whose code a release contains, and refuses those that we may not ship. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/root.mjs';

/** Licences that allow redistribution inside a package under Apache-2.0. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** Written by the build of the pages: a heading `## name - version (licence)` for each library. */
const PAGES_LICENSES = join(ROOT, 'apps/web/dist/pages/.vite/license.md');
const PAGES_LIBRARY = /^## (\S+) - \S+ \(/gm;

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENCE_FILE = /^(licen[cs]e|copying)/i;

/**
 * The packages in a bundle, in the pages, and those whose files are copied beside the bundle; sorted by name.
 * @param {import('esbuild').Metafile} metafile
 * @param {readonly string[]} copied names
 * @returns {{ name: string, version: string, license: string, text: string }[]}
 * @throws {Error} that names every package without an allowed licence
 */
export function licensesOf(metafile, copied) {
  const pages = readFileSync(PAGES_LICENSES, 'utf8').matchAll(PAGES_LIBRARY);
  const folders = new Set([
    ...Object.keys(metafile.inputs).flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []),
    ...[...pages].map(([, name]) => `node_modules/${name}`),
    ...copied.map((name) => `node_modules/${name}`),
  ]);
  const packages = [...folders].map(describePackage).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  refuse(packages.filter(({ license }) => !isAllowed(license)));
  return packages;
}

/** @throws {Error} that names the packages, if there are any */
export function refuse(packages) {
  if (packages.length === 0) return;
  const list = packages.map(({ name, version, license }) => `${name} ${version}: ${license}`).join('\n');
  throw new Error(`packages without a licence that allows to publish them:\n${list}`);
}

/** The text of THIRD_PARTY_LICENSES.txt: a list, then each licence once with the packages under it. */
export function licenseFile(packages) {
  const list = packages.map(({ name, version, license }) => `${name} ${version} (${license})`);
  const byText = new Map();
  for (const each of packages) byText.set(each.text, [...(byText.get(each.text) ?? []), each]);
  const texts = [...byText].map(
    ([text, those]) => `${'-'.repeat(80)}\n${those.map(({ name }) => name).join(', ')}\n\n${text.trim()}\n`,
  );
  return `The command contains code of these packages:\n\n${list.join('\n')}\n\n${texts.join('\n')}`;
}

function describePackage(folder) {
  const path = join(ROOT, folder);
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const stated = license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none';
  const file = readdirSync(path).find((each) => LICENCE_FILE.test(each));
  const text =
    file === undefined
      ? `(The package states ${stated} and has no licence file.)`
      : readFileSync(join(path, file), 'utf8').replaceAll('\r\n', '\n');
  return { name, version, license: stated, text };
}

/** Of `A OR B` one must be allowed, of `A AND B` both. */
export function isAllowed(expression) {
  const choices = expression.replace(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((each) => ALLOWED.has(each.trim())));
}
