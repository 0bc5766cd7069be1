/** Tests the check of import directions: rejected and accepted imports, and this repository. */

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CHECK = join(ROOT, 'scripts/check-direction.mjs');

/** Gives each case its own file: `a.ts` of its path, numbered. */
function numbered(
  cases: readonly (readonly [path: string, code: string, ...rest: string[]])[],
): [string, string][] {
  return cases.map(([path, code], n) => [path.replace(/a(?=\.m?[jt]s$)/, `a${n}`), code]);
}

/** Runs the check over a tree with the rules of this repository and these files, each after a first line. */
async function check(files: readonly [path: string, code: string][]) {
  const tree = temporaryFolder();
  for (const file of ['biome.json', '.gitignore']) cpSync(join(ROOT, file), join(tree, file));
  for (const name of [
    'contract',
    'analysis',
    'client',
    'core',
    'embed',
    'web',
    'producer',
    'worker',
    'cli',
  ]) {
    const folder = ['web', 'producer', 'worker', 'cli'].includes(name) ? `apps/${name}` : `packages/${name}`;
    mkdirSync(join(tree, folder, 'src'), { recursive: true });
    cpSync(join(ROOT, folder, 'package.json'), join(tree, folder, 'package.json'));
    writeFileSync(join(tree, folder, 'src/index.ts'), 'export {};\n');
  }
  for (const [path, code] of files) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), `// first line\n${code}\n`);
  }
  const run = startNode([CHECK, tree]);
  const { code } = await run.waitForExit();
  return { code, stdout: run.stdout, findings: run.stderr.trimEnd().split(/\n(?! {4})/) };
}

describe('check:direction', () => {
  const refused: [path: string, code: string, rule: string][] = [
    ['packages/embed/src/a.ts', "import { Redis } from 'ioredis';", 'packages/embed must not import Redis'],
    ['packages/embed/src/deep/er/a.ts', "import 'bullmq/dist/x.js';", 'packages/embed must not import Redis'],
    [
      'packages/embed/src/a.ts',
      "import { get } from 'node:https';",
      'packages/embed must not use the network',
    ],
    ['packages/embed/src/a.ts', "await fetch('http://a.example');", 'Do not use the global variable fetch'],
    [
      'packages/embed/src/a.ts',
      "import type { Journal } from '@embedmill/core/runs';",
      'packages/embed must not import packages/core',
    ],
    [
      'packages/embed/src/a.ts',
      "export * from '../../core/src/runs/index.ts';",
      'packages/embed must not import packages/core',
    ],
    [
      'packages/embed/scripts/a.mjs',
      "await import('@embedmill/core/batch');",
      'packages/embed must not import packages/core',
    ],
    [
      'packages/core/src/a.ts',
      "import { Embedder } from '@embedmill/embed';",
      'must not import packages/embed',
    ],
    ['packages/core/src/a.ts', "import '../../embed/dist/index.js';", 'must not import packages/embed'],
    ['packages/core/src/a.ts', "import express from 'express';", 'must not import express'],
    ['packages/core/src/a.ts', "import type { X } from 'onnxruntime-node';", 'must not import ONNX Runtime'],
    [
      'packages/core/src/a.ts',
      "export { x } from '@embedmill/producer';",
      'packages/core must not import apps/producer',
    ],
    [
      'apps/producer/src/a.ts',
      "const e = await import('@embedmill/embed');",
      'must not import packages/embed',
    ],
    [
      'apps/producer/src/a.ts',
      "import '../../../packages/embed/src/index.ts';",
      'must not import packages/embed',
    ],
    ['apps/producer/src/a.ts', "import { InferenceSession } from 'onnxruntime-node';", 'ONNX Runtime'],
    [
      'apps/producer/src/a.ts',
      "import '../../worker/src/index.ts';",
      'apps/producer must not import apps/worker',
    ],
    ['apps/worker/src/a.ts', "import type { Router } from 'express';", 'must not import express'],
    [
      'apps/worker/src/a.ts',
      "import { npy } from '@embedmill/core/formats';",
      'apps/worker must not import packages/core/src/formats',
    ],
    [
      'apps/worker/src/a.ts',
      "import '../../../packages/core/src/formats/sinks/npy.ts';",
      'apps/worker must not import packages/core/src/formats',
    ],
    ['packages/client/src/a.ts', "import type { Journal } from '@embedmill/core/runs';", 'import nothing'],
    ['packages/client/src/a.ts', "import { once } from 'node:events';", 'import nothing'],
    ['apps/cli/src/a.ts', "import '../../../packages/core/src/runs/index.ts';", 'by name, not by path'],
    [
      'apps/web/src/a.ts',
      "import { createApi } from '@embedmill/producer';",
      'apps/web must not import apps/producer',
    ],
    [
      'packages/core/src/process/a.ts',
      "import { keysOf } from '../redis/keys.ts';",
      'packages/core/src/process must not import packages/core/src/redis',
    ],
    [
      'apps/cli/src/io/a.ts',
      "import { drive } from '../engine/run/drive.ts';",
      'apps/cli/src/io must not import apps/cli/src/engine',
    ],
    ['apps/web/src/a.ts', "import { Redis } from 'ioredis';", 'runs in a browser'],
  ];
  test('rejects forbidden imports, with the line and the rule', async () => {
    const files = numbered(refused);
    const { code, stdout, findings } = await check(files);
    const said = files.map(([path]) =>
      findings.filter((finding) => finding.startsWith(`${path}:2: `)).join('\n'),
    );
    expect(said).toEqual(refused.map(([, , rule]) => expect.stringContaining(rule)));
    expect(said).toEqual(refused.map(([, line]) => expect.stringContaining(`\n    ${line}`)));
    expect(stdout).toBe(`${findings.length} imports against the import directions.\n`);
    expect(code).toBe(1);
  });

  const detours: [what: string, code: string][] = [
    ['a type inside an expression', "type Client = import('ioredis').Redis;"],
    ['a computed name', "await import('io' + 'redis');"],
    ['a template', 'await import(`ioredis`);'],
    ['a required package', "const { Redis } = require('ioredis');"],
    ['a created require function', "const { Redis } = createRequire(import.meta.url)('ioredis');"],
    ['a comment', "// biome-ignore lint/style/noRestrictedImports: why not\nimport 'ioredis';"],
    ['a comment for the file', "// biome-ignore-all lint: why not\nimport 'ioredis';"],
  ];
  test('rejects forms that would evade it', async () => {
    const files = numbered(detours.map(([, code]) => ['packages/embed/src/a.ts', code]));
    const { findings } = await check(files);
    const fooled = detours.filter(
      (_, n) => !findings.some((finding) => finding.startsWith(`${files[n]![0]}:`)),
    );
    expect(fooled).toEqual([]);
  });

  const allowed: [path: string, code: string][] = [
    [
      'packages/embed/src/a.ts',
      "import { open } from 'node:fs/promises';\nimport { InferenceSession } from 'onnxruntime-node';",
    ],
    [
      'packages/core/src/a.ts',
      "import { Redis } from 'ioredis';\nimport { npy } from '../formats/sinks/npy.ts';",
    ],
    [
      'apps/producer/src/a.ts',
      "import express from 'express';\nimport { npy } from '@embedmill/core/formats';",
    ],
    [
      'apps/worker/src/a.ts',
      "import { Embedder } from '@embedmill/embed';\nimport { quote } from '@embedmill/contract';",
    ],
    ['apps/cli/src/a.ts', "await import('@embedmill/worker');\nimport { quote } from '@embedmill/contract';"],
  ];
  test('accepts allowed imports', async () => {
    expect(await check(numbered(allowed))).toMatchObject({ code: 0, findings: [''] });
  });

  test('holds for this repository', async () => {
    const run = startNode([CHECK]);
    expect(await run.waitForExit()).toMatchObject({ code: 0 });
    expect(run.stdout).toBe('Import directions hold.\n');
  });
});
