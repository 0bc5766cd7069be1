/** A slow link between clients and the producer: uploads and downloads are slow, never stuck, and right. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbedmillClient, withRetry } from '@embedmill/client';
import { expect, it, onTestFinished } from 'vitest';
import { startEmbedmill } from '../../support/embedmill.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  faultsOfResults,
  type ProducerProcess,
  type SentRow,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

/** Rows of `bytes` bytes each. */
function longRows(count: number, bytes: number): SentRow[] {
  return sentRows(count).map(({ id, text }) => ({ id, text: `${text} `.padEnd(bytes, 'word ') }));
}

/** A producer with a worker, and a proxy in front of its API. */
async function startBehindLink(bytesPerSecond: number): Promise<{
  producer: ProducerProcess;
  proxy: FaultProxy;
  slowUrl: string;
}> {
  const place = testRedis();
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  await startWorkerProcess(place);
  const { hostname: host, port } = new URL(producer.url);
  const proxy = new FaultProxy({ host, port: Number(port) });
  await proxy.start();
  onTestFinished(() => proxy.stop());
  proxy.set({ bytesPerSecond });
  return { producer, proxy, slowUrl: `http://127.0.0.1:${proxy.port}` };
}

it.each([
  { name: '100 kB/s', bytesPerSecond: 100_000, count: 2 },
  { name: '2 MB/s', bytesPerSecond: 2_000_000, count: 12 },
])(
  'rows of 1 MB are accepted at the first attempt over $name',
  async ({ bytesPerSecond, count }) => {
    const { producer, slowUrl } = await startBehindLink(bytesPerSecond);
    const rows = longRows(count, 1_000_000);
    const run = await producer.create(4);
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const answer = await fetch(`${slowUrl}/v1/runs/${run}/rows?part=0`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    expect(answer.status, await answer.text()).toBe(201);
    await producer.seal(run);
    await expectWhole({ producer, run, rows });
  },
  240_000,
);

it('a download over 100 kB/s is complete, and the client waits for its bytes', async () => {
  const { producer, slowUrl } = await startBehindLink(100_000);
  const rows = sentRows(1500);
  const run = await producer.create(100);
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  await producer.seal(run);
  await producer.ended(run);
  const client = new EmbedmillClient({ url: slowUrl });
  const chunks: Uint8Array[] = [];
  const path = await fetch(`${slowUrl}/v1/runs/${run}/results?format=jsonl&encoding=base64`);
  for await (const chunk of path.body!) chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
  expect(await faultsOfResults(rows, lines)).toEqual([]);
  let bytes = 0;
  await withRetry(async () => {
    bytes = 0;
    for await (const chunk of await client.openResults(run, 'npy', { dtype: 'float32' }))
      bytes += chunk.byteLength;
  });
  expect(bytes).toBeGreaterThan(rows.length * 4);
}, 240_000);

it('a download of .npy that is cut continues where it stopped', async () => {
  const { producer, proxy, slowUrl } = await startBehindLink(2_000_000);
  const rows = sentRows(2000);
  const run = await producer.create(100);
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  await producer.seal(run);
  await producer.ended(run);
  const whole = Buffer.from(
    await (await producer.call('GET', `/v1/runs/${run}/results?format=npy`)).arrayBuffer(),
  );
  const chunks: Uint8Array[] = [];
  let [received, cuts] = [0, 0];
  for await (const chunk of await new EmbedmillClient({ url: slowUrl }).openResults(run, 'npy')) {
    chunks.push(chunk);
    received += chunk.byteLength;
    if (received < (cuts + 1) * 1_000_000 || cuts === 2) continue;
    cuts += 1;
    proxy.reset();
  }
  expect(cuts).toBe(2);
  expect(Buffer.concat(chunks).equals(whole)).toBe(true);
}, 240_000);

it('embed --server ends with the right vectors over 200 kB/s with a cut in the middle', async () => {
  const { proxy, slowUrl } = await startBehindLink(200_000);
  const rows = longRows(4, 300_000);
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  const output = join(folder, 'out.jsonl');
  writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const command = startEmbedmill(['embed', input, '--to', output, '--server', slowUrl, '--quiet']);
  proxy.cutAfter(500_000);
  expect(await command.waitForExit(180_000)).toMatchObject({ code: 0 });
  // More than one upload of all rows: the cut came in the middle of one.
  expect(proxy.clientBytes).toBeGreaterThan(1_200_000 + 100_000);
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
  const found = lines.map((line) => {
    const { id, vector } = JSON.parse(line) as { id: string; vector: number[] };
    return JSON.stringify({ id, vector: Buffer.from(Float32Array.from(vector).buffer).toString('base64') });
  });
  expect(await faultsOfResults(rows, found)).toEqual([]);
}, 240_000);
