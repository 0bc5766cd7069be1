/**
 * Fails when a package imports what it must not, in whatever form: `npm run check:direction [folder]`.
 *
 * The rules are the overrides with `noRestrictedImports` in biome.json, and Biome finds the imports. Biome
 * overlooks types imported inside an expression, computed names and `require` in a module, and it obeys
 * comments that switch it off; those are refused here.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './lib/root.mjs';

/** What only serves to get around the rules, and what to write instead. */
const DETOURS = [
  {
    pattern: /\bimport\(\s*(['"])[^'"]+\1\s*\)\s*(\.\s*[A-Z]|\[)/,
    rule: 'a type is imported at the top of its file with `import type`, where the check sees it.',
  },
  {
    pattern: /\bimport\(\s*(`|(['"])[^'"]*\2\s*\+)/,
    rule: 'an import names its module in plain quotes, where the check sees it.',
  },
  {
    pattern: /\b(require|createRequire\([^)]*\))\(\s*['"`][^.]/,
    rule: 'a package is imported, not required, so that the check sees it.',
  },
  {
    pattern: /biome-ignore(-all|-start)?\s+lint(\/style(\/noRestricted(Imports|Globals))?)?\s*:/,
    rule: 'no comment switches the direction check off.',
  },
];

const root = resolve(process.argv[2] ?? ROOT);
const findings = [...findImports(), ...findDetours()];
for (const { path, line, rule, text } of findings) console.error(`${path}:${line}: ${rule}\n    ${text}`);
console.log(
  findings.length === 0
    ? 'Import directions hold.'
    : `${findings.length} import${findings.length === 1 ? '' : 's'} against the direction of the packages.`,
);
process.exitCode = findings.length === 0 ? 0 : 1;

/** What Biome finds, as path, line, rule in words and the offending line. */
function findImports() {
  const only = ['--only=style/noRestrictedImports', '--only=style/noRestrictedGlobals'];
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', ...only, 'packages', 'apps'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status === null || !stdout.startsWith('{')) throw new Error(`Biome did not run: ${stderr}`);
  return JSON.parse(stdout).diagnostics.map(({ message, location: { path, start } }) => ({
    path,
    line: start.line,
    rule: message,
    text: lineOf(path, start.line),
  }));
}

/** Lines that try one of the detours. */
function findDetours() {
  return sourceFiles().flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((text, index) =>
        DETOURS.filter(({ pattern }) => pattern.test(text)).map(({ rule }) => ({
          path,
          line: index + 1,
          rule,
          text: text.trim(),
        })),
      ),
  );
}

/** Every source file of every package and app, relative to the root. */
function sourceFiles() {
  return ['packages', 'apps']
    .filter((parent) => existsSync(join(root, parent)))
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name, 'src')))
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((path) => join(folder, String(path))),
    )
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path));
}

function lineOf(path, line) {
  return (readFileSync(join(root, path), 'utf8').split('\n')[line - 1] ?? '').trim();
}
