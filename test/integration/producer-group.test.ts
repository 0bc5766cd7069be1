/** Several producers as one: which of them gets which part, and what happens while one is unreachable. */

import { join } from 'node:path';
import { EmbedmillClient, withRetry } from '@embedmill/client';
import { type RowRead, UPLOADS_AT_A_TIME } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from '@embedmill/producer';
import { expect, onTestFinished, test } from 'vitest';
import { encodeParts } from '../../apps/cli/src/engine/run/encode-parts.ts';
import { sendParts } from '../../apps/cli/src/engine/run/send-parts.ts';
import { ProducerGroup } from '../../apps/cli/src/engine/spread/producer-group.ts';
import { until } from '../support/api.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const PARTS = 24;
const PART_ROWS = 3;

/** A producer on the Redis and the prefix of the other one, behind a proxy. */
async function startMember({ url, prefix }: { url: string; prefix: string }) {
  const config = readConfig({
    REDIS_URL: url,
    PORT: '0',
    EMBEDMILL_PREFIX: prefix,
    EMBEDMILL_DATA_DIR: temporaryFolder(),
  });
  const producer = await startProducer(config, { log });
  onTestFinished(() => producer.stop());
  const proxy = new FaultProxy({ host: '127.0.0.1', port: Number(new URL(producer.url).port) });
  await proxy.start();
  onTestFinished(() => proxy.stop().catch(() => {}));
  await until(async () => (await fetch(`${producer.url}/readyz`)).status === 200);
  return { producer, proxy, server: `http://127.0.0.1:${proxy.port}` };
}

async function* rowsWithBadOnes(): AsyncGenerator<RowRead[]> {
  for (let line = 1; line <= PARTS * PART_ROWS; line++) {
    const id = `row-${line}`;
    yield [
      line % 10 === 0
        ? { ok: false, line, id, code: 'missing-text', message: `line ${line} has no text` }
        : { ok: true, line, id, text: `opinion number ${line}` },
    ];
  }
}

test('two producers share a prefix; while one is unreachable, the other gets all further parts', async () => {
  const redis = testRedis();
  const [first, second] = await Promise.all([startMember(redis), startMember(redis)]);
  const { port } = second.proxy;
  await startHashWorker(redis);
  const abort = new AbortController();
  const { signal } = abort;
  const waits: (string | null)[] = [];
  const group = new ProducerGroup({
    members: [first, second].map(({ server }) => ({
      server,
      client: new EmbedmillClient({ url: server, signal }),
    })),
    partMapPath: join(temporaryFolder(), 'parts'),
    onWait: (reason) => waits.push(reason),
    signal,
  });
  const run = await group.createRun({ batchRows: 2 }, 'one-run');
  const known = await group.getParts();
  await second.proxy.stop();
  const parts = encodeParts(rowsWithBadOnes(), {
    maxRows: PART_ROWS,
    maxBytes: 10_000,
    maxRowBytes: 10_000,
  });
  const retry = { signal };
  const sending = sendParts(parts, { client: group, retry, run: run.id, isOpen: true, known, onRead() {} });
  const direct = new EmbedmillClient({ url: first.producer.url });
  const ofFirst = () => direct.getRun(group.shares()[0]?.run ?? '');
  await until(async () => (await ofFirst()).parts >= PARTS - UPLOADS_AT_A_TIME);
  await until(async () => (await group.getRun(run.id)).rows.done >= (PARTS - UPLOADS_AT_A_TIME) * PART_ROWS);
  expect(waits.at(-1)).toBe(`no response from ${second.server} (ECONNREFUSED); the other producers continue`);
  await second.proxy.start(port);
  expect(await sending).toBe(PARTS * PART_ROWS);
  await withRetry(() => group.seal(), retry);
  let done = await group.getRun(run.id);
  await until(async () => {
    done = await group.getRun(run.id);
    return done.state === 'completed';
  });
  expect(done).toMatchObject({ state: 'completed', verdicts: { ok: 65, failed: 7 }, rows: { done: 72 } });
  expect(waits.at(-1)).toBeNull();
  const shares = group.shares();
  expect(shares[0]!.rows + shares[1]!.rows).toBe(72);
  expect(shares[1]!.rows).toBeGreaterThan(0);
  const ids: (string | null)[] = [];
  const missing: (string | null | undefined)[] = [];
  const numbers = Array.from({ length: PARTS }, (_, n) => n + 1);
  for await (const { blocks } of group.followParts(run.id, numbers, retry)) {
    for (const block of blocks) {
      ids.push(...block.ids);
      missing.push(...block.missing.map(({ row }) => block.ids[row]));
    }
  }
  expect(ids).toEqual(Array.from({ length: 72 }, (_, n) => `row-${n + 1}`));
  expect(missing).toEqual(['row-10', 'row-20', 'row-30', 'row-40', 'row-50', 'row-60', 'row-70']);
});
