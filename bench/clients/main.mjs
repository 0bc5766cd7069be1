/**
 * `npm run bench:clients [-- --folder PATH --node PATH --no-python]`: tries clients of the compatible APIs, unmodified, against a
 * producer and a worker, and prints what each one saw as a Markdown table. Exits with 1 if a check fails.
 *
 * The clients are installed in a folder (default: a temporary one), from package.json and requirements.txt beside this
 * file. Some need Node 22 or later: --node is the executable that runs them.
 */

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startStack } from '../pipeline/stack.mjs';

const run = promisify(execFile);
const { values } = parseArgs({
  allowNegative: true,
  options: {
    folder: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    python: { type: 'boolean', default: true },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'embedmill-clients-'));
const python = join(folder, 'python/bin/python');

const stack = await startStack({ threads: 1 });
try {
  await install();
  const rows = [];
  for (const script of ['node-clients.mjs', 'recorded.mjs']) rows.push(...(await lines(values.node, script)));
  if (values.python) rows.push(...(await lines(python, 'python_clients.py')));
  console.log('| client | tried | seen |\n|---|---|---|');
  for (const { client, tried, seen, ok } of rows)
    console.log(
      `| ${client} | ${tried} | ${ok ? '' : '**failed**: '}${seen.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`,
    );
  const failed = rows.filter(({ ok }) => !ok).length;
  console.error(`${rows.length} checks, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
} finally {
  await stack.stop();
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

/** Copies the scripts and installs the packages that are missing. */
async function install() {
  mkdirSync(folder, { recursive: true });
  for (const name of [
    'package.json',
    'requirements.txt',
    'checks.mjs',
    'node-clients.mjs',
    'recorded.mjs',
    'python_clients.py',
  ])
    copyFileSync(fileURLToPath(new URL(name, import.meta.url)), join(folder, name));
  if (!existsSync(join(folder, 'node_modules')))
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'], {
      cwd: folder,
    });
  if (!values.python || existsSync(python)) return;
  await run('python3', ['-m', 'venv', 'python'], { cwd: folder });
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', 'requirements.txt'], { cwd: folder });
}

/** The checks of a script, one JSON object per line. */
async function lines(program, script) {
  const { stdout } = await run(program, [join(folder, script), stack.url], { cwd: folder });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
