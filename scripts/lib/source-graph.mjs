/** Parses the TypeScript of the packages into imports and declarations; used by structure.mjs. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { parseSync, Visitor } from 'vite';

/**
 * Returns the packages and apps below `root` with their parsed source files.
 * @returns {{ name: string, folder: string, files: ReturnType<typeof readSource>[] }[]} `folder` such as
 * `apps/cli`
 */
export function readPackages(root) {
  return ['packages', 'apps'].flatMap((parent) =>
    (existsSync(join(root, parent)) ? readdirSync(join(root, parent)).sort() : [])
      .filter((name) => existsSync(join(root, parent, name, 'src')))
      .map((name) => ({
        name,
        folder: `${parent}/${name}`,
        files: readFolder(root, `${parent}/${name}/src`),
      })),
  );
}

function readFolder(root, folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => posix.join(folder, String(path)))
    .filter((path) => /(?<!\.d)\.tsx?$/.test(path))
    .sort()
    .map((path) => readSource(path, readFileSync(join(root, path), 'utf8')));
}

/**
 * Parses one file.
 * @param {string} path relative to the root, as are the paths of the imports
 * @returns imports of files (`isType`: erased by the compiler), top-level declarations, classes with their
 * lines
 */
export function readSource(path, text) {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0].message}`);
  return { path, lines: lineCount(text), ...readImports(path, program), ...readDeclarations(program, text) };
}

function lineCount(text) {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** `imports`: files of the same package; `packages`: the specifiers of all other imports. */
function readImports(path, program) {
  const found = [];
  const add = (specifier, isType) => found.push({ specifier, isType });
  for (const node of program.body) {
    if (!node.source) continue;
    const names = node.specifiers ?? [];
    const areTypes =
      names.length > 0 && names.every((name) => (name.importKind ?? name.exportKind) === 'type');
    add(node.source.value, (node.importKind ?? node.exportKind) === 'type' || areTypes);
  }
  new Visitor({
    ImportExpression: ({ source }) => source.type === 'Literal' && add(source.value, false),
  }).visit(program);
  const isRelative = ({ specifier }) => specifier.startsWith('.');
  return {
    imports: found
      .filter(isRelative)
      .map(({ specifier, isType }) => ({ path: posix.join(dirname(path), specifier), isType })),
    packages: found.filter((entry) => !isRelative(entry)).map(({ specifier }) => specifier),
  };
}

/** `declared`: top-level names and whether they are exported; `classes`: names and numbers of lines. */
function readDeclarations(program, text) {
  const declared = [];
  const lists = new Set();
  for (const node of program.body) {
    if (node.type === 'ExportNamedDeclaration' && !node.source)
      for (const { local } of node.specifiers) lists.add(local.name);
    const isExported = node.type.startsWith('Export');
    for (const name of namesOf(isExported ? node.declaration : node)) declared.push({ name, isExported });
  }
  for (const entry of declared) entry.isExported ||= lists.has(entry.name);
  const classes = [];
  const measure = ({ id, start, end }) =>
    classes.push({ name: id?.name ?? '(anonymous)', lines: lineCount(text.slice(start, end)) });
  new Visitor({ ClassDeclaration: measure, ClassExpression: measure }).visit(program);
  return { declared: distinct(declared), classes };
}

/** Names that a declaration defines; none for a statement or a re-export. */
function namesOf(node) {
  if (!node) return [];
  if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => id.name).filter(Boolean);
  const isDeclaration = /^(Function|Class|TSInterface|TSTypeAlias|TSEnum)Declaration$|^TSDeclareFunction$/;
  return isDeclaration.test(node.type) && node.id ? [node.id.name] : [];
}

/** One entry per name: overloads and a type beside a value of the same name are one definition. */
function distinct(declared) {
  return [...new Map(declared.map((entry) => [entry.name, entry])).values()];
}

/** First-level folder of a file below `src`, or the name of the file if it is directly in `src`. */
export function hallOf(packageFolder, path) {
  const [first, ...rest] = relative(`${packageFolder}/src`, path).split('/');
  return { hall: first, isFolder: rest.length > 0 };
}

/**
 * Strongly connected components with at least two nodes (Tarjan).
 * @param {Map<string, Iterable<string>>} graph
 */
export function cycles(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const groups = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) groups.push(group.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return groups;
}

/**
 * Arrows with few imports whose removal leaves no cycle: those that run upward.
 * @param {Map<string, Map<string, number>>} graph arrows with the number of imports behind each
 * @returns {[from: string, to: string, imports: number][]}
 */
export function upwardArrows(graph) {
  const left = new Map([...graph].map(([from, to]) => [from, new Map(to)]));
  const upward = [];
  for (let groups = cycles(keysOf(left)); groups.length > 0; groups = cycles(keysOf(left))) {
    for (const group of groups) {
      const inside = group.flatMap((from) =>
        [...(left.get(from) ?? [])].filter(([to]) => group.includes(to)).map(([to, n]) => [from, to, n]),
      );
      const [from, to, imports] = inside.reduce((a, b) => (b[2] < a[2] ? b : a));
      left.get(from).delete(to);
      upward.push([from, to, imports]);
    }
  }
  return upward;
}

function keysOf(graph) {
  return new Map([...graph].map(([from, to]) => [from, to.keys()]));
}
