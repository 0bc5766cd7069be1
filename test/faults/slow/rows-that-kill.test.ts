/** Poison rows, which crash the whole worker process as a native abort does: they fail alone. */

import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import {
  faultsOfResults,
  resultLines,
  sentRows,
  startProducerProcess,
  startRestartingWorker,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

const DEADLY = 'kill-the-process!';

describe('a text that crashes its process', () => {
  it('fails alone, also beside another one in its batch, after a known number of crashes', async () => {
    const poison = [3, 12];
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder());
    await producer.ready();
    const rows = sentRows(60);
    for (const row of poison) rows[row]!.text += ` ${DEADLY}`;
    const run = await producer.create(20);
    await producer.send(run, 0, rows);
    await producer.seal(run);
    const { crashes, stop } = startRestartingWorker(redis, { EMBEDMILL_LOCK_MS: '1000' });
    // Stopped before the test ends, or a restarted worker would outlive it.
    const info = await producer.ended(run, 150_000).finally(stop);
    expect(info).toMatchObject({
      state: 'completed',
      verdicts: { ok: rows.length - poison.length, failed: poison.length },
    });
    expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual(
      poison.map((row) => `row id-${row} has no vector`),
    );
    const report = await (await producer.call('GET', `/v1/runs/${run}/report`)).text();
    for (const row of poison) expect(report).toContain(`id-${row}`);
    expect(report).toContain('crashed 2 worker processes');
    // Two crashes make the batch suspect; two more per poison row.
    expect(crashes()).toBe(2 + 2 * poison.length);
    expect(await redis.client.keys(`{${redis.prefix}}:trials:*`)).toEqual([]);
  });
});
