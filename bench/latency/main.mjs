/**
 * `npm run bench:latency [-- --threads N --requests N --seconds N --bulk PATH]`: time from HTTP request to
 * HTTP response for one text of 60 tokens, on an idle stack and during a bulk run on all inference threads,
 * and the throughput that the bulk run loses.
 *
 * Producer, worker, Redis and client are separate processes on the same machine. One client sends its
 * requests at random moments; 8 and 32 clients send them as soon as the previous one is answered. Bulk
 * throughput is measured in the same run, alternating between bulk alone and bulk with one client, in tokens
 * processed by the model: a stack without loss processes the same number in both.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defaultThreads } from '@embedmill/core/process';
import { startStack } from '../pipeline/stack.mjs';
import { describeMachine } from '../support/machine.mjs';
import { median, percentile, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { startBulk } from './bulk.mjs';
import { Client } from './client.mjs';
import { QUESTION_TOKENS, questions } from './questions.mjs';

const { values } = parseArgs({
  options: {
    bulk: { type: 'string' },
    threads: { type: 'string', default: String(defaultThreads()) },
    requests: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
  },
});
const threads = Number(values.threads);
const requests = Number(values.requests);
const roundMs = Number(values.seconds) * 1000;
const rounds = Number(values.rounds);

/** Mean pause of a single client, so that its requests arrive at random moments. */
const MEAN_PAUSE_MS = 20;
const CROWDS = [8, 32];

const texts = await questions(200);
const bulkTexts = await readTexts(values.bulk, 20_000);
const stack = await startStack({ threads });
const client = new Client(stack.url);
try {
  await client.measure(texts, 50, { pauseMs: 0, clients: 1 });
  const idle = await measure();
  const bulk = await startBulk(stack, bulkTexts);
  const saturated = await measure();
  const { alone, beside, questionTokens } = await measureBulk(bulk);
  await bulk.stop();
  report(idle, saturated, alone, beside, questionTokens);
} finally {
  client.close();
  await stack.stop();
}

/** Milliseconds of each request, by number of clients. */
async function measure() {
  const byClients = new Map();
  byClients.set(1, await client.measure(texts, requests, { clients: 1, pauseMs: MEAN_PAUSE_MS }));
  for (const clients of CROWDS)
    byClients.set(clients, await client.measure(texts, requests, { clients, pauseMs: 0 }));
  return byClients;
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
        while (performance.now() < deadline) {
          asked += (await client.measure(texts, 20, { clients: 1, pauseMs: MEAN_PAUSE_MS })).length;
        }
      }),
    );
    rates.questionTokens.push((asked * QUESTION_TOKENS * 1000) / (performance.now() - startedAt));
  }
  return rates;
}

function report(idle, saturated, alone, beside, questionTokens) {
  console.log(describeMachine());
  console.log(
    `${threads} threads · ${requests} requests per row, one text of ${QUESTION_TOKENS} tokens each · one client: ` +
      `${MEAN_PAUSE_MS} ms apart on average; more clients: without pauses · bulk: ${values.bulk ?? 'the sample'}\n`,
  );
  const rowOf =
    (name) =>
    ([clients, ms]) => [
      `${name}, ${clients} client${clients === 1 ? '' : 's'}`,
      ...[50, 95, 99, 100].map((p) => percentile(ms, p).toFixed(1)),
    ];
  printTable(
    ['ms', 'p50', 'p95', 'p99', 'max'],
    [...Array.from(idle, rowOf('idle')), ...Array.from(saturated, rowOf('bulk on every thread'))],
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
