/** Runs the programs of examples/ against a producer and a worker with the real model. */

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { startSharedEmbedmill } from '../support/embedmill.ts';
import type { TestProcess } from '../support/process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const hasPython =
  spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;

let mill: TestProcess;
let dataDir: string;
let url: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'embedmill-examples-'));
  mill = startSharedEmbedmill(['up', '--port', '0', '--threads', '1'], {
    env: { EMBEDMILL_DATA_DIR: dataDir, EMBEDMILL_WORKER_PORT: '0' },
  });
  const [, ready = ''] = await mill.waitFor(/Ready +(http\S+)/, 60_000);
  url = new URL(ready).origin;
});

afterAll(async () => {
  mill.kill('SIGINT');
  await mill.exited;
  rmSync(dataDir, { recursive: true });
});

/** Runs a program of examples/ and returns what it prints; a program that fails rejects with its stderr. */
async function run(program: string, ...args: string[]): Promise<string> {
  const command = program.endsWith('.py') ? 'python3' : process.execPath;
  const { stdout } = await promisify(execFile)(command, [join(ROOT, 'examples', program), ...args]);
  return stdout;
}

/** Skips a test where there is no Python, and says so: vitest's default reporter does not print the reason. */
function needsPython(context: TestContext): void {
  const reason = 'there is no python3 of version 3.9 or newer';
  if (!hasPython) console.log(`Skipped: ${reason}.`);
  context.skip(!hasPython, reason);
}

async function runsLeft(): Promise<unknown[]> {
  return ((await (await fetch(`${url}/v1/runs`)).json()) as { runs: unknown[] }).runs;
}

describe('examples/', () => {
  it.for(['node-client.mjs', 'python_client.py'])(
    '%s embeds the articles and finds the one that answers a question',
    async (program, context) => {
      if (program.endsWith('.py')) needsPython(context);
      expect(await run(program, url)).toBe(
        'completed: 8 vectors\nnearest to "How do I get my money back?": refunds\n',
      );
      expect(await run(program, url, 'Where do I find my bill?')).toContain(': invoice\n');
      expect(await runsLeft()).toEqual([]);
    },
  );

  it('rag-duckdb.mjs prints a prompt with the passages for a question', async () => {
    const prompt = await run('rag-duckdb.mjs', url);
    expect(prompt).toMatch(
      /^Answer from these passages only.*\n\n\[warranty\] Electronics have .*\n\[[a-z-]+\] .*\n\n/,
    );
    expect(prompt).toMatch(/\n\nIs a cracked display repaired for free\?\n$/);
    expect(await run('rag-duckdb.mjs', url, 'My headset is empty after an hour')).toContain('\n[battery] ');
    expect(await runsLeft()).toEqual([]);
  });

  it('are 20 to 60 lines each', () => {
    for (const name of ['node-client.mjs', 'python_client.py', 'rag-duckdb.mjs', 'compose/compose.yaml']) {
      const lines = readFileSync(join(ROOT, 'examples', name), 'utf8')
        .trimEnd()
        .split('\n').length;
      expect(lines, name).toBeGreaterThanOrEqual(20);
      expect(lines, name).toBeLessThanOrEqual(60);
    }
  });
});

interface ComposeService {
  build?: { context: string; dockerfile: string; target: string };
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  command?: string[];
}

describe('examples/compose/compose.yaml', () => {
  const folder = join(ROOT, 'examples/compose');
  const { services } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as {
    services: Record<string, ComposeService>;
  };

  it('builds stages that exist, and waits for services that have a health check', () => {
    expect(Object.keys(services)).toEqual(['redis', 'producer', 'worker', 'job']);
    for (const { build, depends_on } of Object.values(services)) {
      for (const name of Object.keys(depends_on ?? {})) expect(services).toHaveProperty(name);
      if (build === undefined) continue;
      const dockerfile = readFileSync(join(folder, build.context, build.dockerfile), 'utf8');
      const [, stage = ''] = dockerfile.split(new RegExp(`^FROM .* AS ${build.target}$`, 'm'));
      expect(stage.split(/^FROM /m)[0]).toContain('HEALTHCHECK');
    }
  });

  it('has a job whose command works', async (context) => {
    needsPython(context);
    const { command = [], volumes = [] } = services.job ?? {};
    const [python, program = '', server = '', question = ''] = command;
    const [source = '', target = ''] = (volumes[0] ?? '').split(':');
    expect([python, server]).toEqual(['python3', 'http://producer:8080']);
    const path = program.replace(target, join(folder, source));
    expect(existsSync(path)).toBe(true);
    const { stdout } = await promisify(execFile)('python3', [path, url, question]);
    expect(stdout).toBe(`completed: 8 vectors\nnearest to "${question}": shipping\n`);
  });
});
