/**
 * Fails on forbidden imports: `npm run check:direction [folder]`.
 *
 * lib/floors.mjs defines which folders of this repository may import which. Third-party packages are
 * restricted with `noRestrictedImports` in biome.json; this script runs Biome for them. Neither detects types
 * imported inside an expression, computed names and `require`, and comments can disable Biome, so this script
 * rejects those forms.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importsOf, reasonAgainst, resolveImport, sourceFiles } from './lib/floors.mjs';
import { ROOT } from './lib/root.mjs';

/** Forms that evade the check, and what to write instead. */
const EVASIONS = [
  {
    pattern: /\bimport\(\s*(['"])[^'"]+\1\s*\)\s*(\.\s*[A-Z]|\[)/,
    rule: 'types must be imported at the top of the file with `import type`.',
  },
  {
    pattern: /\bimport\(\s*(`|(['"])[^'"]*\2\s*\+)/,
    rule: 'the module of an import must be a plain string.',
  },
  {
    pattern: /\b(require|createRequire\([^)]*\))\(\s*['"`][^.]/,
    rule: 'packages must be imported, not required.',
    // LanceDB requires the CommonJS build of apache-arrow and cannot store tables of the other build, which an
    // import loads. This workspace may import the package anyway.
    except: ['apps/cli/src/io/lance-folder.ts'],
  },
  {
    pattern: /biome-ignore(-all|-start)?\s+lint(\/style(\/noRestricted(Imports|Globals))?)?\s*:/,
    rule: 'comments must not disable the direction check.',
  },
];

const root = resolve(process.argv[2] ?? ROOT);
const findings = [...findUpward(), ...findBanned(), ...findEvasions()];
for (const { path, line, rule, text } of findings) console.error(`${path}:${line}: ${rule}\n    ${text}`);
console.log(
  findings.length === 0
    ? 'Import directions hold.'
    : `${findings.length} import${findings.length === 1 ? '' : 's'} against the import directions.`,
);
process.exitCode = findings.length === 0 ? 0 : 1;

/** Imports that the floors forbid: path, line, rule and the text of the line. */
function findUpward() {
  return sourceFiles(root).flatMap((path) =>
    importsOf(readFileSync(join(root, path), 'utf8')).flatMap(({ specifier, line, isType }) => {
      const target = resolveImport(root, path, specifier);
      if (target === undefined) return [];
      const rule =
        reasonAgainst(path, target, isType) ??
        (specifier.startsWith('.') && workspaceOf(target) !== workspaceOf(path)
          ? 'packages must be imported by name, not by path.'
          : undefined);
      return rule ? [{ path, line, rule, text: lineOf(path, line) }] : [];
    }),
  );
}

/** Restricted third-party imports found by Biome, in the same form. */
function findBanned() {
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

/** Lines that evade the check, in the same form. */
function findEvasions() {
  return sourceFiles(root).flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((text, index) =>
        EVASIONS.filter(({ pattern, except }) => pattern.test(text) && !except?.includes(path)).map(
          ({ rule }) => ({
            path,
            line: index + 1,
            rule,
            text: text.trim(),
          }),
        ),
      ),
  );
}

/** `packages/core/src/runs/run.ts` → `packages/core`. */
function workspaceOf(path) {
  return path.split('/').slice(0, 2).join('/');
}

function lineOf(path, line) {
  return (readFileSync(join(root, path), 'utf8').split('\n')[line - 1] ?? '').trim();
}
