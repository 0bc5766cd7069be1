/**
 * Prints metrics of the source structure: `npm run structure -- [--list] [commit or folder]...`.
 *
 * Each argument is one column (default: this checkout): `npm run structure -- 225308e .` compares a commit
 * with the checkout. `--list` also prints the items behind the counts of the last column.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';
import { cycles, hallOf, readPackages, upwardArrows } from './lib/source-graph.mjs';

/** Domain terms; each must be defined once, in packages/contract. */
const DOMAIN_WORDS = `
  CLEAN_STEPS ChunkSpan CleanStep Dtype Format GlossaryTerm LongTexts PartReceipt Precision RejectedRow ReportRow
  RowOutcome RowVerdict RunInfo RunOptions RunState Scale TextInput TextToken Treatment Truncate UNTREATED
  VectorEncoding Verdict`
  .trim()
  .split(/\s+/);

const SMALL_FILE_LINES = 20;

await main(() => {
  const args = process.argv.slice(2);
  const sources = args.filter((arg) => !arg.startsWith('-'));
  const columns = (sources.length === 0 ? [ROOT] : sources).map((source) => ({
    title: resolve(source) === resolve(ROOT) ? 'checkout' : source,
    measures: withTree(source, measure),
  }));
  printTable(columns);
  if (args.includes('--list')) printList(columns.at(-1).measures);
});

/** Calls `work` with a folder: the source itself, or a temporary copy if it is a commit. */
function withTree(source, work) {
  if (existsSync(source)) return work(source);
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-structure-'));
  try {
    const archive = spawnSync('git', ['archive', source], { cwd: ROOT, maxBuffer: 1024 ** 3 });
    if (archive.status !== 0)
      throw new Error(`"${source}" is neither a folder nor a commit: ${archive.stderr.toString().trim()}`);
    const tar = spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout });
    if (tar.status !== 0) throw new Error(`tar failed: ${tar.stderr}`);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All rows of the table for one tree: by name, a number or a list whose length is shown. */
function measure(root) {
  const packages = readPackages(root);
  const files = packages.flatMap((entry) => entry.files);
  const importers = countImporters(files);
  const single = files.filter(({ path }) => importers.get(path)?.size === 1).map(({ path }) => path);
  const [largest] = files
    .flatMap(({ path, classes }) => classes.map((entry) => ({ ...entry, path })))
    .sort((a, b) => b.lines - a.lines);
  return {
    perPackage: packages.map(measurePackage),
    total: {
      'source files': files.length,
      'source lines': files.reduce((sum, { lines }) => sum + lines, 0),
      'arrows that run upward': packages.flatMap(findUpward),
      'runtime import cycles': packages.flatMap((entry) => findCycles(entry, false)),
      'type-only import cycles': packages.flatMap((entry) => findCycles(entry, true)),
      'barrels (index.ts)': files.map(({ path }) => path).filter((path) => basename(path) === 'index.ts'),
      'exported names defined more than once': findDuplicates(files, ({ isExported }) => isExported),
      'domain words defined more than once': findDuplicates(files, ({ name }) => DOMAIN_WORDS.includes(name)),
      'files with one importer': single,
      '… of all files, %': files.length === 0 ? 0 : Math.round((100 * single.length) / files.length),
      [`files of at most ${SMALL_FILE_LINES} lines`]: files
        .filter(({ lines }) => lines <= SMALL_FILE_LINES)
        .map(({ path }) => path),
      'lines of the largest class': largest?.lines ?? 0,
      '… its name': largest?.name ?? '–',
      'decisions that nothing links to': findUnlinked(root),
    },
  };
}

function measurePackage(entry) {
  const halls = new Set(
    entry.files
      .map(({ path }) => hallOf(entry.folder, path))
      .flatMap(({ hall, isFolder }) => (isFolder ? [hall] : [])),
  );
  const arrows = [...hallGraph(entry)].flatMap(([from, to]) => [...to.keys()].map((name) => [from, name]));
  return {
    folder: entry.folder,
    files: entry.files.length,
    lines: entry.files.reduce((sum, { lines }) => sum + lines, 0),
    halls: halls.size,
    arrows: arrows.filter((ends) => ends.every((name) => halls.has(name))).length,
    upward: findUpward(entry).length,
  };
}

/** Arrows between first-level folders (and files beside them) of a package, with the imports behind each. */
function hallGraph({ folder, files }) {
  const graph = new Map();
  for (const { path, imports } of files) {
    const { hall: from } = hallOf(folder, path);
    if (!graph.has(from)) graph.set(from, new Map());
    for (const { path: target } of imports) {
      const { hall: to } = hallOf(folder, target);
      if (to !== from && !to.startsWith('..')) graph.get(from).set(to, (graph.get(from).get(to) ?? 0) + 1);
    }
  }
  return graph;
}

function findUpward(entry) {
  return upwardArrows(hallGraph(entry)).map(
    ([from, to, imports]) =>
      `${entry.folder}: ${from} → ${to} (${imports} import${imports === 1 ? '' : 's'})`,
  );
}

/** Import cycles of files; with `types`, only those that exist because of type imports. */
function findCycles({ files }, types) {
  const graphOf = (keep) =>
    new Map(files.map(({ path, imports }) => [path, imports.filter(keep).map((entry) => entry.path)]));
  const runtime = cycles(graphOf(({ isType }) => !isType));
  if (!types) return runtime.map((group) => group.join(' ↔ '));
  const all = cycles(graphOf(() => true));
  return all
    .filter((group) => !runtime.some((other) => other.join() === group.join()))
    .map((group) => group.join(' ↔ '));
}

/** The importers of each file within its package, by path. */
function countImporters(files) {
  const importers = new Map();
  for (const { path, imports } of files)
    for (const { path: target } of imports) {
      if (!importers.has(target)) importers.set(target, new Set());
      importers.get(target).add(path);
    }
  return importers;
}

/** Names with a declaration of this kind in at least two files. */
function findDuplicates(files, keep) {
  const places = new Map();
  for (const { path, declared } of files)
    for (const entry of declared.filter(keep))
      places.set(entry.name, [...(places.get(entry.name) ?? []), path]);
  return [...places]
    .filter(([, paths]) => paths.length > 1)
    .map(([name, paths]) => `${name}: ${paths.join(', ')}`);
}

/** Decision pages that no other text file names, by file name or as `decisions/NNNN`, except the index of decisions. */
function findUnlinked(root) {
  const folder = join(root, 'docs/decisions');
  if (!existsSync(folder)) return [];
  const isText = /\.(md|[cm]?[jt]sx?|json|ya?ml|sh|py|cc|h)$/;
  const texts = [
    'README.md',
    'CONTRIBUTING.md',
    'apps',
    'packages',
    'docs',
    'scripts',
    'infra',
    'bench',
    'test',
    'examples',
  ]
    .flatMap((path) => listTexts(root, path))
    .filter((path) => isText.test(path) && !/docs\/decisions\/(README|index)\.md$/.test(path))
    .map((path) => ({ name: basename(path), text: readFileSync(join(root, path), 'utf8') }));
  return readdirSync(folder)
    .filter((name) => /^\d+.*\.md$/.test(name))
    .filter((name) => !texts.some((other) => other.name !== name && isNamedIn(other.text, name)))
    .map((name) => `docs/decisions/${name}`);
}

function isNamedIn(text, name) {
  return text.includes(name) || text.includes(`decisions/${name.slice(0, 4)}`);
}

function listTexts(root, path) {
  if (!existsSync(join(root, path))) return [];
  if (path.includes('.')) return [path];
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter(({ name }) => !['node_modules', 'dist', '.vite'].includes(name))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      return entry.isDirectory() ? listTexts(root, below) : [below];
    });
}

function printTable(columns) {
  const count = (value) => (Array.isArray(value) ? value.length : value);
  const rows = [['tree', ...columns.map(({ title }) => title)]];
  const folders = [
    ...new Set(columns.flatMap(({ measures }) => measures.perPackage.map(({ folder }) => folder))),
  ];
  for (const folder of folders)
    for (const name of ['files', 'lines', 'halls', 'arrows', 'upward'])
      rows.push([
        `${folder}: ${{ halls: 'first-level folders', arrows: 'arrows between them', upward: 'upward' }[name] ?? name}`,
        ...columns.map(
          ({ measures }) => measures.perPackage.find((entry) => entry.folder === folder)?.[name] ?? '–',
        ),
      ]);
  for (const name of Object.keys(columns[0].measures.total))
    rows.push([name, ...columns.map(({ measures }) => count(measures.total[name]))]);
  const texts = rows.map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)),
  );
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  for (const [name, ...cells] of texts)
    console.log([name.padEnd(widths[0]), ...cells.map((cell, n) => cell.padStart(widths[n + 1]))].join('  '));
}

function printList({ total }) {
  for (const [name, found] of Object.entries(total))
    if (Array.isArray(found) && found.length > 0)
      console.log(`\n${name}\n${found.map((line) => `  ${line}`).join('\n')}`);
}
