/** Inference threads that start and stop many times leave no memory behind. */

import { InferencePool } from '@embedmill/worker/inference';
import { describe, expect, test } from 'vitest';
import { EngineSignals, embedBulk, STAND_IN_URL } from '../../unit/inference/stand-in.ts';

const MB = 2 ** 20;

/** Starts a pool of two threads, embeds with it and stops it. */
async function cycle(signals: EngineSignals): Promise<void> {
  const pool = new InferencePool({
    threads: 2,
    engineUrl: STAND_IN_URL,
    prepare: () => ({ dim: 3, shared: signals.shared }),
  });
  await pool.start();
  const batches = ['a', 'b', 'c'].map((text) => embedBulk(pool, [text]));
  await Promise.all(batches);
  await pool.stop();
}

describe('starting and stopping', () => {
  test('120 times with 240 threads closes every engine and frees the memory', async () => {
    const signals = new EngineSignals();
    for (let done = 0; done < 40; done++) await cycle(signals);
    const before = process.memoryUsage().rss;
    for (let done = 0; done < 80; done++) await cycle(signals);
    expect({ opened: signals.opened, closed: signals.closed }).toEqual({ opened: 240, closed: 240 });
    // A thread's heap is at least 4 MB: 160 leaked threads would exceed the limit many times over.
    expect((process.memoryUsage().rss - before) / MB).toBeLessThan(100);
  });
});
