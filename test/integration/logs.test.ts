/** The logs of a producer and a worker: JSON lines by which a run, a batch and a request are found again. */

import { defaultThreads } from '@embedmill/core/process';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import type { TestProcess } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';

/** Every line as the object that it is. */
const linesFrom = ({ stderr }: TestProcess): Record<string, unknown>[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('the logs', () => {
  it('tell the story of a run in JSON, with its id, its batches and its requests', async () => {
    const place = testRedis();
    const producer = await startProducerProcess(place, temporaryFolder());
    await producer.ready();
    const threads = defaultThreads() + 1;
    const worker = await startWorkerProcess(place, {
      EMBEDMILL_LOG_LEVEL: 'debug',
      EMBEDMILL_THREADS: String(threads),
    });
    const run = await producer.create();
    const rows = sentRows(25);
    const headers = { 'content-type': 'application/x-ndjson', 'x-request-id': 'find-me' };
    await producer.call('POST', `/v1/runs/${run}/rows?part=0`, { headers, body: linesOf(rows) });
    await producer.seal(run);
    await expectWhole({ producer, run, rows });

    const told = linesFrom(producer.process);
    expect(told.every(({ role, msg }) => role === 'producer' && typeof msg === 'string')).toBe(true);
    expect(told.find(({ requestId }) => requestId === 'find-me')).toMatchObject({ run, status: 201 });
    expect(told.filter((line) => line.run === run).map(({ msg, state }) => state ?? msg)).toContain(
      'completed',
    );
    const batches = linesFrom(worker).filter((line) => line.run === run && line.outcome === 'committed');
    expect(batches.map(({ batch }) => batch).sort()).toEqual([0, 1, 2]);
    expect(linesFrom(worker)).toContainEqual(
      expect.objectContaining({
        threads,
        cores: defaultThreads(),
        msg: expect.stringMatching(/^there are more inference threads than CPU cores/),
      }),
    );
    expect(producer.process.stderr + worker.stderr).not.toContain('opinion number');
  });
});
