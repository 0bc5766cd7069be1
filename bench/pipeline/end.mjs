/**
 * How long `embedmill embed` takes after the last row has its vector: `npm run bench:end -- [--rows N] [--chars N]
 * [--output NAME,NAME,…] [--rounds N] [--against FOLDER]`, after `npm run build`.
 *
 * Embeds `rows` rows of about `chars` characters through a producer and a worker whose engine takes no time, and
 * polls the run every 10 ms. `--against` measures the build in another folder too, by turns.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { startStack } from './stack.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    chars: { type: 'string', default: '60' },
    output: { type: 'string', default: 'out.npy,out.parquet' },
    rounds: { type: 'string', default: '3' },
    against: { type: 'string' },
  },
});
const rows = Number(values.rows);
const POLL_MS = 10;
const HERE = fileURLToPath(new URL('../..', import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'embedmill-bench-'));
console.log(describeMachine());
try {
  const input = join(folder, 'rows.jsonl');
  await pipeline(Readable.from(lines()), createWriteStream(input));
  const engine = new URL('./instant-engine.mjs', import.meta.url).href;
  const roots = [['this build', HERE], ...(values.against ? [[values.against, values.against]] : [])];
  const measured = new Map();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const output of values.output.split(',')) {
      for (const [name, root] of roots) {
        const stack = await startStack({ threads: 1, engine, root });
        const result = await embed(root, stack, input, join(folder, output)).finally(() => stack.stop());
        const key = `${name}\t${output}`;
        measured.set(key, [...(measured.get(key) ?? []), result]);
      }
    }
  }
  printTable(
    [
      '',
      'output',
      'rows',
      'MB',
      's in all',
      's after the last row',
      'CPU s of the command',
      'of the producer',
    ],
    [...measured].map(([key, results]) => {
      const of = (field, digits) => median(results.map((result) => result[field])).toFixed(digits);
      const figures = [of('megabytes', 0), of('seconds', 1), of('tailSeconds', 2), of('cpu', 1)];
      return [...key.split('\t'), rows, ...figures, of('producerCpu', 1)];
    }),
  );
} finally {
  await rm(folder, { recursive: true });
}

/** Runs the command once, from the first row to its exit. */
async function embed(root, stack, input, output) {
  await rm(output, { recursive: true, force: true });
  const cpuBefore = stack.cpu();
  const startedAt = performance.now();
  const child = spawn(
    '/usr/bin/env',
    [
      ...['bash', '-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash'],
      ...[process.execPath, join(root, 'apps/cli/bin/embedmill.mjs'), 'embed', input],
      ...['--server', stack.url, '--to', output, '--overwrite', '--quiet'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = once(child, 'exit');
  let doneAt = null;
  let exitedAt = null;
  exited.then(() => {
    exitedAt = performance.now();
  });
  while (exitedAt === null && doneAt === null) {
    const { runs } = await (await fetch(`${stack.url}/v1/runs`)).json();
    if (runs[0]?.rows.done === rows) doneAt = performance.now();
    else await sleep(POLL_MS);
  }
  const [code] = await exited;
  if (code !== 0 || doneAt === null) throw new Error(`embedmill embed exited with ${code}: ${stderr}`);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return {
    seconds: (exitedAt - startedAt) / 1000,
    tailSeconds: (exitedAt - doneAt) / 1000,
    cpu: user + system,
    producerCpu: stack.cpu().producer - cpuBefore.producer,
    megabytes: statSync(output).size / 1e6,
  };
}

async function* lines() {
  const texts = await readTexts();
  let block = '';
  for (let row = 1; row <= rows; row += 1) {
    let text = texts[row % texts.length];
    while (text.length < Number(values.chars)) text += ` ${texts[(row * 7) % texts.length]}`;
    block += `${JSON.stringify({ id: `row-${row}`, text: text.slice(0, Number(values.chars)) })}\n`;
    if (block.length < 65_536 && row < rows) continue;
    yield block;
    block = '';
  }
}
