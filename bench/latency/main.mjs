/**
 * `npm run bench:latency [-- --threads N --requests N --warm-up N --seconds N --bulk PATH --rounds N --no-bulk-run]`: time
 * from HTTP request to HTTP response for one text of 60 tokens, on an idle stack, beside a naive server (express and
 * transformers.js in one process), and during a bulk run on all inference threads; CPU per request; and the throughput
 * that the bulk run loses.
 *
 * Producer, worker, Redis and client are separate processes on the same machine. Both servers first answer 4,000 requests,
 * while V8 compiles their code. One client sends its requests at random moments; 8 and 32 clients send them as soon
 * as the previous one is answered. Stack and naive server are measured by turns, so that both see the same machine. Bulk
 * throughput is measured in the same run, alternating between bulk alone and bulk with one client, in tokens processed by
 * the model: a stack without loss processes the same number in both.
 */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultThreads } from '@embedmill/core/process';
import { installPeers, peerVersion } from '../engine/peers.mjs';
import { cpuSeconds, startChild, startStack } from '../pipeline/stack.mjs';
import { describeMachine } from '../support/machine.mjs';
import { median, percentile, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { startBulk } from './bulk.mjs';
import { Client } from './client.mjs';
import { QUESTION_TOKENS, questions } from './questions.mjs';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    bulk: { type: 'string' },
    'bulk-run': { type: 'boolean', default: true },
    threads: { type: 'string', default: String(defaultThreads()) },
    requests: { type: 'string', default: '500' },
    'warm-up': { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
  },
});
const threads = Number(values.threads);
const requests = Number(values.requests);
const warmUp = Number(values['warm-up']);
const roundMs = Number(values.seconds) * 1000;
const rounds = Number(values.rounds);

/** Mean pause of a single client, so that its requests arrive at random moments. */
const MEAN_PAUSE_MS = 20;
const CROWDS = [1, 8, 32];

installPeers();
const texts = await questions(200);
const stack = await startStack({ threads });
const naive = await startChild(pathOf('./naive.mjs'), {});
const inference = await startChild(pathOf('./inference.mjs'), {});
const servers = {
  stack: { client: new Client(stack.url), cpu: () => cpuOfStack(stack.cpu()) },
  naive: { client: new Client(naive.url), cpu: () => 1000 * cpuSeconds(naive.child.pid) },
};
try {
  for (const { client } of Object.values(servers)) {
    await client.measure(texts, 60, { clients: 1, pauseMs: 0 });
    await client.measure(texts, warmUp, { clients: 32, pauseMs: 0 });
  }
  const idle = await measureByTurns();
  console.log(describeMachine());
  console.log(
    `${threads} threads · ${warmUp} requests before, ${requests} per row in ${rounds} turns, one text of ${QUESTION_TOKENS} tokens each · one client: ` +
      `${MEAN_PAUSE_MS} ms apart on average; more clients: without pauses · naive server: express and transformers.js ` +
      `${await peerVersion('@huggingface/transformers')} q8\n`,
  );
  reportIdle(idle);
  if (values['bulk-run']) {
    const bulk = await startBulk(stack, await readTexts(values.bulk, 20_000));
    const saturated = new Map();
    for (const clients of CROWDS) saturated.set(clients, await measure(servers.stack, clients, requests));
    const { alone, beside, questionTokens } = await measureBulk(bulk);
    await bulk.stop();
    reportBulk(idle, saturated, alone, beside, questionTokens);
  }
} finally {
  for (const { client } of Object.values(servers)) client.close();
  for (const { child } of [naive, inference]) child.disconnect();
  await stack.stop();
}

function pathOf(module) {
  return fileURLToPath(new URL(module, import.meta.url));
}

/** CPU time of the whole stack so far, in milliseconds. */
function cpuOfStack({ producer, worker, redis }) {
  return 1000 * (producer + worker + redis);
}

/** Milliseconds of each request, wall time and CPU time of `count` requests. */
async function measure({ client, cpu }, clients, count) {
  const cpuBefore = cpu();
  const startedAt = performance.now();
  const ms = await client.measure(texts, count, { clients, pauseMs: clients === 1 ? MEAN_PAUSE_MS : 0 });
  return { ms, wallMs: performance.now() - startedAt, cpuMs: cpu() - cpuBefore };
}

/** Measures both servers by turns. @returns measurements by server and number of clients, and CPU ms of one text alone */
async function measureByTurns() {
  const found = { stack: new Map(), naive: new Map(), inferenceMs: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const clients of CROWDS) {
      // The order alternates, so that neither server always follows the other.
      const names = round % 2 === 0 ? ['stack', 'naive'] : ['naive', 'stack'];
      for (const name of names) {
        const own = await measure(servers[name], clients, Math.ceil(requests / rounds));
        const known = found[name].get(clients) ?? { ms: [], wallMs: 0, cpuMs: 0 };
        found[name].set(clients, {
          ms: [...known.ms, ...own.ms],
          wallMs: known.wallMs + own.wallMs,
          cpuMs: known.cpuMs + own.cpuMs,
        });
      }
    }
    inference.child.send({ texts, rounds: 2 });
    found.inferenceMs.push((await once(inference.child, 'message'))[0].cpuMs);
  }
  return found;
}

function reportIdle({ stack, naive, inferenceMs }) {
  const rowOf = (name, clients, { ms, wallMs, cpuMs }) => [
    `${name}, ${clients} client${clients === 1 ? '' : 's'}`,
    ...[50, 95, 99, 100].map((p) => percentile(ms, p).toFixed(1)),
    clients === 1 ? '' : ((ms.length * 1000) / wallMs).toFixed(0),
    (cpuMs / ms.length).toFixed(2),
  ];
  printTable(
    ['ms', 'p50', 'p95', 'p99', 'max', 'requests/s', 'CPU per request'],
    CROWDS.flatMap((clients) => [
      rowOf('stack', clients, stack.get(clients)),
      rowOf('naive server', clients, naive.get(clients)),
    ]),
  );
  const alone = median(inferenceMs);
  const [one, crowd] = [CROWDS[0], CROWDS.at(-1)];
  const rate = (server) => server.get(crowd).ms.length / server.get(crowd).wallMs;
  const ratio = (p, clients) => percentile(stack.get(clients).ms, p) / percentile(naive.get(clients).ms, p);
  const cpuOf = ({ ms, cpuMs }) => cpuMs / ms.length;
  console.log(`\nCPU of one text alone in an engine: ${alone.toFixed(2)} ms\n`);
  printTable(
    ['stack ÷ naive server', '', 'goal'],
    [
      ['p50, 1 client', ratio(50, one).toFixed(2), '≤ 1'],
      ['p95, 1 client', ratio(95, one).toFixed(2), '≤ 1.3'],
      [`requests/s, ${crowd} clients`, (rate(stack) / rate(naive)).toFixed(2), '≥ 2'],
      [`p99, ${crowd} clients`, ratio(99, crowd).toFixed(2), '≤ 0.33'],
      [
        `CPU per request at ${crowd} clients ÷ one text alone`,
        (cpuOf(stack.get(crowd)) / alone).toFixed(2),
        '≤ 1.3',
      ],
    ],
  );
}

/**
 * Tokens per second of the bulk run, alone and with one client in alternation, and of the texts of the
 * client.
 */
async function measureBulk(bulk) {
  const rates = { alone: [], beside: [], questionTokens: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.alone.push(await bulk.tokensPerSecond(() => sleep(roundMs)));
    let asked = 0;
    const deadline = performance.now() + roundMs;
    const startedAt = performance.now();
    rates.beside.push(
      await bulk.tokensPerSecond(async () => {
        while (performance.now() < deadline) asked += (await measure(servers.stack, 1, 20)).ms.length;
      }),
    );
    rates.questionTokens.push((asked * QUESTION_TOKENS * 1000) / (performance.now() - startedAt));
  }
  return rates;
}

function reportBulk(idle, saturated, alone, beside, questionTokens) {
  console.log(`\nDuring a bulk run on every thread (${values.bulk ?? 'the sample'}):\n`);
  printTable(
    ['ms', 'p50', 'p95', 'p99', 'max', 'p95 ÷ idle p95'],
    Array.from(saturated, ([clients, { ms }]) => [
      `${clients} client${clients === 1 ? '' : 's'}`,
      ...[50, 95, 99, 100].map((p) => percentile(ms, p).toFixed(1)),
      `${(percentile(ms, 95) / percentile(idle.stack.get(clients).ms, 95)).toFixed(2)}${clients === 1 ? ' (goal ≤ 3)' : ''}`,
    ]),
  );
  const lost = alone.map((rate, i) => rate - beside[i]);
  console.log(`\nBulk, median of ${rounds} rounds of ${roundMs / 1000} s alone and with one client:\n`);
  printTable(
    ['tokens/s', ''],
    [
      ['bulk alone', median(alone).toFixed(0)],
      ['bulk with one client', median(beside).toFixed(0)],
      ['lost by bulk', median(lost).toFixed(0)],
      ["the client's own texts", median(questionTokens).toFixed(0)],
      [
        'both together ÷ bulk alone',
        median(alone.map((rate, i) => (beside[i] + questionTokens[i]) / rate)).toFixed(3),
      ],
    ],
  );
}
