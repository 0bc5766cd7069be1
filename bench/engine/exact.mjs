/**
 * Compares the exact engine with our ONNX graph, by turns in one thread:
 * `npm run bench:exact -- [--file PATH]… [--texts 200] [--rounds 7] [--kernel avx2]`.
 * Prints the peak of the core, the share of it that the linear layers reach, and the time per stage.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import { chooseKernel, ExactModel, planPacks } from '@embedmill/engine';
import { ModelSession } from '../../packages/embed/dist/embedder/session.js';
import { TextTokenizer } from '../../packages/embed/dist/text/tokenizer.js';
import { compileAll, findCompiler, link } from '../../packages/engine/scripts/compiler.mjs';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', multiple: true },
    texts: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '7' },
    kernel: { type: 'string' },
  },
});
const run = promisify(execFile);
const rounds = Number(options.rounds);
/** Multiplications and additions in the linear layers per token, without the split channels. */
const LINEAR_OPERATIONS_PER_TOKEN = 2 * 6 * (4 * 384 ** 2 + 2 * 384 * 1536);

const folder = mkdtempSync(join(tmpdir(), 'embedmill-bench-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true });
}

async function main() {
  const { cacheDir } = readConfig(process.env);
  const prepared = await prepareModel({ precision: 'int8', engine: 'onnx', cacheDir });
  const tokenizer = await TextTokenizer.read(prepared.tokenizerPath, prepared.maxTokens);
  const session = await ModelSession.open(prepared.modelPath, prepared);
  const { modelPath: weights } = await prepareModel({ precision: 'int8', engine: 'exact', cacheDir });
  const kernel = chooseKernel(options.kernel);
  const exact = ExactModel.open(weights, { kernel });
  console.log(describeMachine());
  const program = await buildProgram();
  const peak = Number((await run(program, ['peak', kernel])).stdout);
  console.log(
    `kernel ${kernel}; register peak of one core ${peak.toFixed(0)} GOP/s; medians of ${rounds} rounds by turns, per second of CPU\n`,
  );

  const rows = [];
  for (const [name, texts] of await textSets()) {
    const ids = texts
      .map((text) => Int32Array.from(tokenizer.encode(text, 'end', []).ids))
      .filter((x) => x.length > 2);
    const tokens = ids.reduce((sum, x) => sum + x.length, 0);
    const graph = [];
    const alone = [];
    const packed = [];
    for (let round = -1; round < rounds; round++) {
      const times = [
        await seconds(async () => {
          for (const x of ids) await session.run(x);
        }),
        await seconds(() => embedPacks(exact, ids, 0)),
        await seconds(() => embedPacks(exact, ids, 256)),
      ];
      if (round < 0) continue;
      graph.push(times[0]);
      alone.push(times[1]);
      packed.push(times[2]);
    }
    const rate = (list) => Math.round(tokens / median(list));
    const ratio = (list) => median(list.map((time, i) => graph[i] / time)).toFixed(2);
    const share = (list) => ((rate(list) * LINEAR_OPERATIONS_PER_TOKEN) / (peak * 1e9)) * 100;
    rows.push([
      name,
      (tokens / ids.length).toFixed(0),
      rate(graph),
      rate(alone),
      ratio(alone),
      rate(packed),
      ratio(packed),
      `${share(packed).toFixed(0)} %`,
    ]);
  }
  printTable(
    [
      'texts',
      'tokens',
      'graph tokens/s',
      'exact, alone',
      '÷ graph',
      'exact, packs of 256',
      '÷ graph',
      'of the peak',
    ],
    rows,
  );
  await session.close();
  exact.close();
  console.log('\nµs per token and stage (clock calls included)\n');
  const { stdout } = await run(program, ['profile', kernel, weights]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  printTable(lines[0], lines.slice(1));
}

/** Seconds of CPU: on a machine that does other things too, they say more than the clock. */
async function seconds(work) {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

function embedPacks(model, ids, packTokens) {
  let first = 0;
  for (const end of planPacks(
    ids.map((x) => x.length),
    packTokens,
  )) {
    const texts = ids.slice(first, end);
    const all = new Int32Array(texts.reduce((sum, x) => sum + x.length, 0));
    let at = 0;
    for (const x of texts) {
      all.set(x, at);
      at += x.length;
    }
    model.embed({ ids: all, lengths: Int32Array.from(texts, (x) => x.length) });
    first = end;
  }
}

/** The engine with timers, and the loop that measures the registers. */
async function buildProgram() {
  const compiler = await findCompiler();
  const objects = await compileAll({
    compiler: compiler.command,
    arch: process.arch,
    folder,
    flags: ['-DEMBEDMILL_PROFILE'],
    sources: ['../../../bench/engine/exact.cpp'],
  });
  const output = join(folder, 'exact');
  await link(compiler.command, objects, output);
  return output;
}

/** The given files, or texts of four lengths made of our own sample. */
async function textSets() {
  const count = Number(options.texts);
  if (options.file) {
    return Promise.all(
      options.file.map(async (file) => [file.split('/').at(-1), await readTexts(file, count)]),
    );
  }
  const words = (await readTexts(undefined, count)).join(' ').split(/\s+/);
  const set = (name, length) => [
    name,
    Array.from({ length: Math.min(count, 8000 / length) }, (_, i) =>
      Array.from({ length }, (_, j) => words[(i * length + j) % words.length]).join(' '),
    ),
  ];
  return [set('tiny', 8), set('short', 22), set('medium', 110), set('long', 260)];
}
