/** Tests `npm run structure` on small trees with known counts. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/structure.mjs', import.meta.url));

/** A tree with one or two of each thing that the script counts. */
const TREE = {
  'packages/core/src/index.ts':
    "export * from './redis/queue.ts';\nexport type { Treatment } from './runs/run.ts';\n",
  'packages/core/src/redis/queue.ts': [
    "import type { Treatment } from '../runs/run.ts';",
    "import { type State, start } from './state.ts';",
    'export class Queue {\n  #state: State = start();\n  use(_: Treatment): void {}\n}',
  ].join('\n'),
  'packages/core/src/redis/state.ts': [
    "import type { Queue } from './queue.ts';",
    'export interface State { queue?: Queue }',
    'export const start = (): State => ({});',
  ].join('\n'),
  'packages/core/src/runs/run.ts': [
    "import { Queue } from '../redis/queue.ts';",
    "export { Queue as RunQueue } from '../redis/queue.ts';",
    "const later = () => import('./end.ts');",
    'export type Treatment = { later: typeof later; queue: Queue };',
    'export function start() { return new Queue(); }',
  ].join('\n'),
  'packages/core/src/runs/end.ts': "import { start } from './run.ts';\nexport const end = start;\n",
  'packages/embed/src/treatment.ts':
    'interface Treatment { clean: string[] }\nexport const none: Treatment = { clean: [] };\n',
  'docs/decisions/README.md': '[one](0001-one.md) [two](0002-two.md)\n',
  'docs/decisions/0001-one.md': '0001-one.md says why.\n',
  'docs/decisions/0002-two.md': 'See 0001-one.md.\n',
};

/** Writes these files to a temporary folder. */
function writeTree(files: Record<string, string>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Runs the script; returns its exit code, its table as label → cells, and the rest of its output. */
async function structure(...args: string[]) {
  const run = startNode([SCRIPT, ...args]);
  const { code } = await run.waitForExit();
  const [table = '', ...lists] = run.stdout.split('\n\n');
  const rows = table.split('\n').map((line) => line.split(/ {2,}/));
  return {
    code,
    cells: Object.fromEntries(rows.map(([label, ...cells]) => [label, cells])),
    lists: Object.fromEntries(
      lists.map((list) => {
        const [title, ...lines] = list.trimEnd().split('\n');
        return [title, lines.map((line) => line.trim())];
      }),
    ),
    stderr: run.stderr,
  };
}

describe('npm run structure', () => {
  it('counts a small tree and lists the counted items', async () => {
    const { code, cells, lists } = await structure('--list', writeTree(TREE));
    expect(code).toBe(0);
    expect(cells).toMatchObject({
      'packages/core: files': ['5'],
      'packages/core: lines': ['18'],
      'packages/core: first-level folders': ['2'],
      'packages/core: arrows between them': ['2'],
      'packages/embed: files': ['1'],
      'source files': ['6'],
      'lines of the largest class': ['4'],
      '… its name': ['Queue'],
    });
    const src = 'packages/core/src';
    expect(lists).toMatchObject({
      // Of two opposite arrows, the one with fewer imports runs upward.
      'arrows that run upward': ['packages/core: redis → runs (1 import)'],
      'runtime import cycles': [`${src}/runs/end.ts ↔ ${src}/runs/run.ts`],
      'type-only import cycles': [
        [`${src}/redis/queue.ts`, `${src}/redis/state.ts`, `${src}/runs/end.ts`, `${src}/runs/run.ts`].join(
          ' ↔ ',
        ),
      ],
      'barrels (index.ts)': [`${src}/index.ts`],
      'exported names defined more than once': [`start: ${src}/redis/state.ts, ${src}/runs/run.ts`],
      'domain words defined more than once': [
        `Treatment: ${src}/runs/run.ts, packages/embed/src/treatment.ts`,
      ],
      'files with one importer': [`${src}/redis/state.ts`, `${src}/runs/end.ts`],
      'decisions that nothing links to': ['docs/decisions/0002-two.md'],
    });
  });

  it('prints trees side by side, with a dash for a missing package', async () => {
    const before = writeTree(TREE);
    const after = writeTree({ 'packages/core/src/run.ts': 'export const run = 1;\n' });
    const { code, cells } = await structure(before, after);
    expect(code).toBe(0);
    expect(cells).toMatchObject({
      tree: [before, after],
      'packages/embed: files': ['1', '–'],
      'source files': ['6', '1'],
      'domain words defined more than once': ['1', '0'],
      '… its name': ['Queue', '–'],
    });
  });

  it('rejects an argument that is neither a folder nor a commit', async () => {
    const { code, stderr } = await structure('no-such-branch');
    expect(code).toBe(1);
    expect(stderr).toContain('"no-such-branch" is neither a folder nor a commit');
  });
});
