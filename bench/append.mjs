/**
 * The cost of `embed --append`: `node bench/append.mjs [rows] [output]`, after `npm run build`.
 *
 * Embeds `rows` rows (default 1,000,000) into `output` (default out.parquet) with an engine that takes no time,
 * then appends 1 % new rows. The model's rate is measured with 4,000 of the same texts, and its time for all
 * rows and for the new ones is computed from it: embedding a million rows takes longer than half an hour.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { defaultThreads } from '@embedmill/core/process';
import { measureRun, startStack } from './pipeline/stack.mjs';
import { describeMachine } from './support/machine.mjs';
import { printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const CLI = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));
const MEASURED_ROWS = 4_000;

const rows = Number(process.argv[2] ?? 1_000_000);
const output = process.argv[3] ?? 'out.parquet';
const newRows = Math.round(rows / 100);
const samples = await readTexts();
const folder = await mkdtemp(join(tmpdir(), 'embedmill-bench-'));
console.log(describeMachine());
try {
  const rate = await measureRate();
  const stack = await startStack({
    threads: 1,
    engine: new URL('./pipeline/instant-engine.mjs', import.meta.url).href,
  });
  try {
    await writeInput('whole.jsonl', rows);
    await writeInput('grown.jsonl', rows + newRows);
    const whole = await embed(stack.url, 'whole.jsonl');
    const append = await embed(stack.url, 'grown.jsonl', '--append');
    const withModel = {
      whole: whole.seconds + rows / rate,
      append: append.seconds + newRows / rate,
    };
    const megabytes = Math.round(statSync(join(folder, output)).size / 1e6);
    console.log(
      `${output} of ${rows.toLocaleString('en')} rows, ${megabytes} MB; the model embeds ${rate.toFixed(0)} rows/s`,
    );
    const line = (name, { seconds, cpuSeconds, memory }, modelSeconds) => [
      ...[name, seconds.toFixed(1), cpuSeconds.toFixed(1), memory, modelSeconds.toFixed(0)],
      `${((100 * modelSeconds) / withModel.whole).toFixed(1)} %`,
    ];
    printTable(
      [
        '',
        's without the model',
        'CPU s of the command',
        'peak MB of the command',
        's with the model',
        'of the whole',
      ],
      [
        line('all rows', whole, withModel.whole),
        line(`--append, ${newRows.toLocaleString('en')} new`, append, withModel.append),
      ],
    );
  } finally {
    await stack.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureRate() {
  const stack = await startStack({ threads: defaultThreads() });
  const texts = Array.from({ length: MEASURED_ROWS }, (_, n) => textOf(n));
  const { seconds } = await measureRun(stack, texts);
  await stack.stop();
  return MEASURED_ROWS / seconds;
}

function textOf(n) {
  return `${n} ${samples[n % samples.length]}`;
}

async function writeInput(name, count) {
  function* lines() {
    for (let first = 0; first < count; first += 1000) {
      const length = Math.min(1000, count - first);
      const slice = Array.from({ length }, (_, n) => ({ id: `row-${first + n}`, text: textOf(first + n) }));
      yield `${slice.map((row) => JSON.stringify(row)).join('\n')}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(join(folder, name)));
}

/** Runs the command; resolves with its seconds, its CPU seconds and its peak of resident memory in MB. */
async function embed(server, input, ...more) {
  const startedAt = performance.now();
  const args = [CLI, 'embed', input, '--to', output, '--server', server, '--quiet', ...more];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'inherit' });
  let [memory, cpuSeconds] = [0, 0];
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      memory = Math.max(memory, Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024));
      // Fields 14 and 15 of proc(5), after the name in parentheses: user and system time in ticks of 10 ms.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
      cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      // The process has ended.
    }
  }, 200);
  const [code] = await once(child, 'exit');
  clearInterval(timer);
  if (code !== 0) throw new Error(`embed ${input} exited with ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, memory, cpuSeconds };
}
