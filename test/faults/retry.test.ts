/** Retries embed the failed rows of a run again, and only those. */

import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';

describe('a retry', () => {
  it('embeds the failed rows of a completed run, although the producer is killed during it', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const rows = sentRows(60).map((row, i) => (i % 7 === 0 ? { ...row, text: `${row.text} sour` } : row));
    const sour = rows.filter(({ text }) => text.includes('sour')).length;
    const run = await first.create();
    await first.send(run, 0, rows);
    expect((await first.call('POST', `/v1/runs/${run}/retry`)).status).toBe(409);
    await first.seal(run);
    const refusing = await startWorkerProcess(redis, { HASH_ENGINE_REFUSES: 'sour' });
    expect((await first.ended(run)).verdicts).toMatchObject({ ok: 60 - sour, failed: sour });
    refusing.kill('SIGTERM');
    await refusing.exited;

    const retried = await first.call('POST', `/v1/runs/${run}/retry`);
    expect(retried.status).toBe(200);
    expect(await retried.json()).toMatchObject({ state: 'sealed', batches: { total: 6, stored: 0 } });
    // A second retry has no effect.
    expect((await first.call('POST', `/v1/runs/${run}/retry`)).status).toBe(200);
    first.process.kill('SIGKILL');
    await first.process.exited;
    const second = await startProducerProcess(redis, dataDir);
    await second.ready();
    expect((await second.info(run)).state).toBe('sealed');
    // The payloads contain only the failed rows.
    const [payload = ''] = await redis.client.keys(`{${redis.prefix}}:in:*`);
    expect((await redis.client.getBuffer(payload))!.toString('latin1')).toContain('sour');
    expect(await redis.client.strlen(payload)).toBeLessThan(100);
    await startWorkerProcess(redis);
    await expectWhole({ producer: second, run, rows });
    expect(await second.info(run)).toMatchObject({ rows: { done: 60 }, batches: { done: 6, stored: 6 } });

    // Without failed rows the run stays completed, also after a restart.
    const nothing = await second.call('POST', `/v1/runs/${run}/retry`);
    expect(await nothing.json()).toMatchObject({ state: 'completed' });
    second.process.kill('SIGKILL');
    await second.process.exited;
    const third = await startProducerProcess(redis, dataDir);
    await third.ready();
    await expectWhole({ producer: third, run, rows });
  });

  it('leaves rows that fail again failed, and the others unchanged', async () => {
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder());
    await producer.ready();
    const rows = sentRows(30);
    rows[4]!.text = 'sour';
    const run = await producer.create();
    await producer.send(run, 0, rows);
    await producer.seal(run);
    await startWorkerProcess(redis, { HASH_ENGINE_REFUSES: 'sour' });
    await producer.ended(run);
    const results = async () => (await producer.call('GET', `/v1/runs/${run}/results?format=jsonl`)).text();
    const before = await results();
    const etag = (await producer.call('GET', `/v1/runs/${run}/results?format=npy`)).headers.get('etag');
    await producer.call('POST', `/v1/runs/${run}/retry`);
    expect((await producer.ended(run)).verdicts).toMatchObject({ ok: 29, failed: 1 });
    expect(await results()).toBe(before);
    expect((await producer.call('GET', `/v1/runs/${run}/results?format=npy`)).headers.get('etag')).not.toBe(
      etag,
    );
  });
});
