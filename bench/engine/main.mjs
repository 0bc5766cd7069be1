/**
 * Compares the engine with others for Node on the same texts and threads: `npm run bench:engine -- [--file
 * PATH] [--texts 120] [--rounds 3] [--cores one|all|both] [--only NAME]…`. Each engine has its own process,
 * and the rounds are interleaved, so that load on the machine affects all engines.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultThreads, readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { ENGINES } from './engines.mjs';
import { libraryWithoutAvx512 } from './hide-avx512.mjs';
import { hasPeer, installPeers, peerVersion } from './peers.mjs';

const { values: options } = parseArgs({
  options: {
    file: { type: 'string' },
    texts: { type: 'string', default: '120' },
    rounds: { type: 'string', default: '3' },
    cores: { type: 'string', default: 'both' },
    only: { type: 'string', multiple: true },
  },
});
const rounds = Number(options.rounds);
const { only } = options;

const BASE = 'embedmill int8';
const BASE_FP32 = 'embedmill fp32';
const AVX2 = 'embedmill int8, 7-bit weights';

/**
 * Operations per token in the linear layers of all-MiniLM-L6-v2, which have 6 × (4 × 384² + 2 × 384 × 1,536)
 * weights.
 */
const LINEAR_OPERATIONS_PER_TOKEN = 2 * 6 * (4 * 384 ** 2 + 2 * 384 * 1536);

installPeers();
const model = await prepareModel({ precision: 'int8', cacheDir: readConfig(process.env).cacheDir });
const counter = await Embedder.open(model);
const tokensOf = (list) =>
  list.reduce((sum, text) => sum + Math.min(counter.countTokens(text), model.maxTokens), 0);
const texts = (await readTexts(options.file, Number(options.texts))).filter(
  (text) => counter.countTokens(text) > 2,
);
const short = texts.map(cutTo16Tokens).filter((text) => text !== undefined);

console.log(describeMachine());
console.log(
  `@huggingface/transformers ${await peerVersion('@huggingface/transformers')} (onnxruntime-node ${await peerVersion('onnxruntime-node')}) · @lat.md/embed ${await peerVersion('@lat.md/embed')}`,
);
console.log(
  `${options.file ?? 'own sample'}: ${texts.length} texts, ${(tokensOf(texts) / texts.length).toFixed(0)} tokens on average; medians of ${rounds} interleaved rounds; padding is not counted`,
);

if (!hasPeer('node-llama-cpp'))
  console.log('llama.cpp is skipped: npm install --no-save node-llama-cpp in bench/peers adds it (1 GB)');

if (options.cores !== 'all') {
  const names = Object.keys(ENGINES).filter((name) => name !== AVX2 && (only?.includes(name) ?? true));
  const results = await compare(
    'one core',
    names.map((name) => childOf(name, 1)),
  );
  await limits(results);
  if (only === undefined) await withoutAvx512();
}
const threads = defaultThreads();
if (options.cores !== 'one' && threads > 1) {
  const names = Object.keys(ENGINES).filter(
    (name) => name.startsWith('transformers.js') && (only?.includes(name) ?? true),
  );
  await compare(`${threads} cores: Embedmill with one session per thread, peers with intra-op threads`, [
    ...['int8', 'fp32'].flatMap((precision) => [
      { name: `embedmill ${precision}`, start: () => start('pool-child.mjs', [precision, String(threads)]) },
      { name: `embedmill ${precision}, 1 thread`, start: () => start('pool-child.mjs', [precision, '1']) },
    ]),
    ...names.map((name) => childOf(name, threads)),
  ]);
}
await counter.close();

/** Runs all children in turn, `rounds` times, after one warm-up each, and prints a table. */
async function compare(title, children, list = texts) {
  const tokens = tokensOf(list);
  const running = [];
  for (const { name, start: begin } of children) running.push({ name, child: await begin(), runs: [] });
  for (const { child } of running) await measureOnce(child, list.slice(0, 16));
  for (let round = 0; round < rounds; round++) {
    for (const { child, runs } of running) runs.push(await measureOnce(child, list));
  }
  const results = running.map(({ name, child, runs }) => {
    child.disconnect();
    const latencies = runs.flatMap((run) => run.latenciesMs).sort((a, b) => a - b);
    return {
      name,
      seconds: runs.map((run) => run.seconds),
      cpuSeconds: runs.map((run) => run.cpuSeconds),
      latencies,
      peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
    };
  });
  const rateOf = ({ seconds }) => tokens / median(seconds);
  const ratio = (base, other, times = 'seconds') => {
    const reference = results.find(({ name }) => name === base);
    return reference
      ? median(reference[times].map((seconds, i) => other[times][i] / seconds)).toFixed(2)
      : '-';
  };
  const at = (sorted, share) =>
    sorted.length > 0 ? sorted[Math.floor((sorted.length - 1) * share)].toFixed(1) : '-';
  console.log(`\n### ${title}\n`);
  printTable(
    [
      'engine',
      'tokens/s',
      'texts/s',
      'p50 ms',
      'p95 ms',
      'CPU ms/text',
      'peak RSS MB',
      'embedmill int8 ÷ engine',
      'embedmill fp32 ÷ engine',
      'embedmill int8 ÷ engine, by CPU time',
    ],
    results.map((result) => [
      result.name,
      rateOf(result).toFixed(0),
      (list.length / median(result.seconds)).toFixed(1),
      at(result.latencies, 0.5),
      at(result.latencies, 0.95),
      ((1000 * median(result.cpuSeconds)) / list.length).toFixed(1),
      (result.peakBytes / 2 ** 20).toFixed(0),
      `${ratio(BASE, result)}×`,
      `${ratio(BASE_FP32, result)}×`,
      `${ratio(BASE, result, 'cpuSeconds')}×`,
    ]),
  );
  return { rates: new Map(results.map((result) => [result.name, rateOf(result)])) };
}

/**
 * Prints the share of the raw matrix product that the engine reaches, and the speed for texts of 16 tokens.
 */
async function limits({ rates }) {
  const rate = rates.get(BASE);
  if (rate === undefined) return;
  const gemm = fork(new URL('gemm.mjs', import.meta.url));
  const [{ operationsPerSecond: raw }] = await once(gemm, 'message');
  const used = rate * LINEAR_OPERATIONS_PER_TOKEN;
  console.log(
    `\nraw int8 product of one core: ${(raw / 1e9).toFixed(0)} GOP/s; the linear layers alone use ${(used / 1e9).toFixed(0)} GOP/s of it: ${((100 * used) / raw).toFixed(0)} %`,
  );
  const child = await childOf(BASE, 1).start();
  await measureOnce(child, texts);
  const [full, brief] = [[], []];
  for (let round = 0; round < 3 * rounds; round++) {
    // CPU time of a single thread, which other processes affect less than elapsed time.
    full.push(tokensOf(texts) / (await measureOnce(child, texts)).cpuSeconds);
    brief.push(tokensOf(short) / (await measureOnce(child, short)).cpuSeconds);
  }
  child.disconnect();
  const share = median(brief.map((value, i) => value / full[i]));
  console.log(
    `texts of 16 tokens: ${median(brief).toFixed(0)} tokens per CPU second, ${share.toFixed(2)} of the full rate`,
  );
}

/** Compares the engines with AVX-512 hidden from ONNX Runtime, as on most CPUs from 2013 to 2019. */
async function withoutAvx512() {
  const library = libraryWithoutAvx512();
  if (library === undefined) {
    console.log(
      '\nAVX-512 was not hidden: this CPU does not have it, or the check in this build of ONNX Runtime differs.',
    );
    return;
  }
  const hidden = { LD_PRELOAD: library };
  const children = [AVX2, BASE_FP32, 'transformers.js q8, batch 1', 'transformers.js q8, batch 32'].map(
    (name) => ({
      name: name === AVX2 ? BASE : name,
      start: () => start('child.mjs', [name, '1'], hidden),
    }),
  );
  await compare(
    'one core with AVX-512 hidden from ONNX Runtime (AVX2 kernels; int8 with 7-bit weights)',
    children,
  );
  rmSync(dirname(library), { recursive: true });
}

function childOf(name, threads) {
  return { name, start: () => start('child.mjs', [name, String(threads)]) };
}

async function start(file, args, env = {}) {
  const child = fork(new URL(file, import.meta.url), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await answer(child);
  return child;
}

async function measureOnce(child, list) {
  child.send({ texts: list });
  return answer(child);
}

async function answer(child) {
  const stop = new AbortController();
  const died = once(child, 'exit', stop).then(([code]) => {
    throw new Error(`the process of an engine exited with ${code}`);
  });
  died.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, 'message', stop), died]);
    return message;
  } finally {
    stop.abort();
  }
}

/**
 * The first words of a text with 16 tokens, including [CLS] and [SEP]; `undefined` if no number of words has
 * 16.
 */
function cutTo16Tokens(text) {
  const words = text.split(/\s+/);
  for (let count = 1; count <= Math.min(14, words.length); count++) {
    const some = words.slice(0, count).join(' ');
    if (counter.countTokens(some) === 16) return some;
  }
  return undefined;
}
