/** Texts that end the whole worker process, as a native abort does: they fail alone, and every other row has its vector. */

import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import {
  faultsOfResults,
  resultLines,
  sentRows,
  startImmortalWorker,
  startProducerProcess,
} from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';

const DEADLY = 'kill-the-process!';

describe('a text that kills its process', () => {
  it('fails alone, also when its batch holds another one, after a known number of deaths', async () => {
    const guilty = [3, 12];
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder());
    await producer.ready();
    const rows = sentRows(60);
    for (const row of guilty) rows[row]!.text += ` ${DEADLY}`;
    const run = await producer.create(20);
    await producer.send(run, 0, rows);
    await producer.seal(run);
    const { deaths, stop } = startImmortalWorker(redis, { EMBEDMILL_LOCK_MS: '1000' });
    // Told before the test ends, or its next life would outlive the test.
    const info = await producer.ended(run, 150_000).finally(stop);
    expect(info).toMatchObject({
      state: 'completed',
      verdicts: { ok: rows.length - guilty.length, failed: guilty.length },
    });
    expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual(
      guilty.map((row) => `row id-${row} has no vector`),
    );
    const report = await (await producer.call('GET', `/v1/runs/${run}/report`)).text();
    for (const row of guilty) expect(report).toContain(`id-${row}`);
    expect(report).toContain('crashed 2 worker processes');
    // Two that make the batch suspect, two for each row.
    expect(deaths()).toBe(2 + 2 * guilty.length);
    expect(await redis.client.keys(`{${redis.prefix}}:trials:*`)).toEqual([]);
    // Six deaths, each found out after the lock: a loaded machine needs its time.
  }, 180_000);
});
