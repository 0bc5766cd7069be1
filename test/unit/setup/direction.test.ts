import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CHECK = join(ROOT, 'scripts/check-direction.mjs');

/** Runs the check over a small tree with the rules of this repository and one file. */
async function check(
  path: string,
  code: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const tree = temporaryFolder();
  for (const file of ['biome.json', '.gitignore']) cpSync(join(ROOT, file), join(tree, file));
  for (const folder of ['packages/core', 'packages/embed', 'apps/producer', 'apps/worker', 'apps/cli']) {
    mkdirSync(join(tree, folder, 'src'), { recursive: true });
    writeFileSync(join(tree, folder, 'src/index.ts'), "import 'node:path';\n");
  }
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), `// first line\n${code}\n`);
  const run = startNode([CHECK, tree]);
  const exit = await run.waitForExit();
  return { code: exit.code, stdout: run.stdout, stderr: run.stderr };
}

describe('check:direction', () => {
  test.each([
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
      "import type { Row } from '@embedmill/core';",
      'must not import packages/core',
    ],
    ['packages/embed/src/a.ts', "export * from '../../core/src/index.ts';", 'must not import packages/core'],
    [
      'packages/embed/scripts/a.mjs',
      "await import('@embedmill/core/batch');",
      'must not import packages/core',
    ],
    [
      'packages/core/src/a.ts',
      "import { Embedder } from '@embedmill/embed';",
      'must not import packages/embed',
    ],
    ['packages/core/src/a.ts', "import '../../embed/dist/index.js';", 'must not import packages/embed'],
    ['packages/core/src/a.ts', "import express from 'express';", 'must not import express'],
    ['packages/core/src/a.ts', "import type { X } from 'onnxruntime-node';", 'must not import ONNX Runtime'],
    ['packages/core/src/a.ts', "export { x } from '@embedmill/producer';", 'must not import an app'],
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
    ['apps/producer/src/a.ts', "import '../../worker/src/index.ts';", 'must not import another app'],
    ['apps/worker/src/a.ts', "import type { Router } from 'express';", 'must not import express'],
    ['apps/worker/src/a.ts', "import { npy } from '@embedmill/core';", 'must not import sinks'],
    ['apps/worker/src/a.ts', "import { npy } from '@embedmill/core/local';", 'must not import sinks'],
    ['apps/worker/src/a.ts', "import '../../../packages/core/src/sinks/npy.ts';", 'must not import sinks'],
    ['packages/client/src/a.ts', "import type { RunInfo } from '@embedmill/core';", 'import nothing'],
    ['packages/client/src/a.ts', "import { once } from 'node:events';", 'import nothing'],
    ['apps/cli/src/a.ts', "import '../../../packages/core/src/index.ts';", 'by name, not by path'],
    ['apps/web/src/a.ts', "import { createApi } from '@embedmill/producer';", 'over HTTP'],
    ['apps/web/src/a.ts', "import { Redis } from 'ioredis';", 'runs in a browser'],
  ])('refuses in %s: %s', async (path, code, rule) => {
    const { code: exitCode, stdout, stderr } = await check(path, code);
    expect(stderr).toContain(`${path}:2: `);
    expect(stderr).toContain(rule);
    expect(stderr).toContain(code);
    expect(stdout).toContain('against the direction');
    expect(exitCode).toBe(1);
  });

  test.each([
    ['a type inside an expression', "type Client = import('ioredis').Redis;"],
    ['a computed name', "await import('io' + 'redis');"],
    ['a template', 'await import(`ioredis`);'],
    ['a required package', "const { Redis } = require('ioredis');"],
    ['a require of its own', "const { Redis } = createRequire(import.meta.url)('ioredis');"],
    ['a comment', "// biome-ignore lint/style/noRestrictedImports: why not\nimport 'ioredis';"],
    ['a comment for the file', "// biome-ignore-all lint: why not\nimport 'ioredis';"],
  ])('is not fooled by %s', async (_, code) => {
    expect(await check('packages/embed/src/a.ts', code)).toMatchObject({ code: 1 });
  });

  test.each([
    [
      'packages/embed/src/a.ts',
      "import { open } from 'node:fs/promises';\nimport { InferenceSession } from 'onnxruntime-node';",
    ],
    ['packages/core/src/a.ts', "import { Redis } from 'ioredis';\nimport { npy } from '../sinks/npy.ts';"],
    ['apps/producer/src/a.ts', "import express from 'express';\nimport { npy } from '@embedmill/core';"],
    [
      'apps/worker/src/a.ts',
      "import { Embedder } from '@embedmill/embed';\nimport { quote } from '@embedmill/core';",
    ],
    [
      'apps/cli/src/a.ts',
      "await import('@embedmill/worker');\nimport { quote } from '@embedmill/core/local';",
    ],
  ])('allows in %s what belongs there', async (path, code) => {
    expect(await check(path, code)).toMatchObject({ code: 0, stderr: '' });
  });

  test('holds for this repository', async () => {
    const run = startNode([CHECK]);
    expect(await run.waitForExit()).toMatchObject({ code: 0 });
    expect(run.stdout).toBe('Import directions hold.\n');
  });

  test('knows every export of the sinks that a worker must not import', () => {
    const index = readFileSync(join(ROOT, 'packages/core/src/sinks/index.ts'), 'utf8');
    const exported = [...index.matchAll(/^export (?:type )?(?:const (\w+)|\{([^}]+)\})/gm)].flatMap(
      ([, constant, list]) => [constant ?? '', ...(list ?? '').split(',')].map((name) => name.trim()),
    );
    const { overrides } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
    const worker = overrides.find(
      (override: { includes: string[] }) => override.includes[0] === 'apps/worker/**',
    );
    const { paths } = worker.linter.rules.style.noRestrictedImports.options;
    expect(paths['@embedmill/core'].importNames.toSorted()).toEqual(exported.filter(Boolean).toSorted());
  });
});
