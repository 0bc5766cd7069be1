/** Keeps all inference threads busy with a bulk run and measures its throughput. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Small, because progress is counted in whole batches. */
const BATCH_ROWS = 32;
const PART_ROWS = 2000;

/** Minimum backlog in rows; below it, the next part is sent. */
const BACKLOG_ROWS = 4000;

/** Starts a run without end and waits until its first batches are done. */
export async function startBulk(stack, texts) {
  const { id } = await call(stack, 'POST', '/v1/runs', { batchRows: BATCH_ROWS });
  const state = { isOver: false };
  const feeding = feed(stack, id, texts, state);
  while ((await tokensDone(stack)) === 0) await sleep(100);
  return {
    /** Tokens per second of the run while `step` is running. */
    async tokensPerSecond(step) {
      const before = await tokensDone(stack);
      const startedAt = performance.now();
      await step();
      return (((await tokensDone(stack)) - before) * 1000) / (performance.now() - startedAt);
    },
    async stop() {
      state.isOver = true;
      await feeding;
      await call(stack, 'POST', `/v1/runs/${id}/cancel`);
    },
  };
}

async function feed(stack, run, texts, state) {
  for (let part = 0; !state.isOver; ) {
    const { rows } = await call(stack, 'GET', `/v1/runs/${run}`);
    if (rows.accepted - rows.done >= BACKLOG_ROWS) {
      await sleep(500);
      continue;
    }
    const lines = Array.from({ length: PART_ROWS }, (_, i) => {
      const row = part * PART_ROWS + i;
      return JSON.stringify({ id: row, text: texts[row % texts.length] });
    });
    const response = await fetch(`${stack.url}/v1/runs/${run}/rows?part=${part}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    if (!response.ok) throw new Error(`part ${part}: ${response.status} ${await response.text()}`);
    part += 1;
  }
}

async function tokensDone(stack) {
  const page = await (await fetch(`${stack.workerUrl}/metrics`)).text();
  return Number(/^embedmill_tokens_total\{lane="bulk"\} (\S+)$/m.exec(page)?.[1]);
}

async function call(stack, method, path, body) {
  const response = await fetch(`${stack.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
