/** A slow or lossy network to Redis: runs take longer and lose no row. `slow/network.test.ts` has more. */

import { describe, it } from 'vitest';
import { expectWhole } from '../support/mill.ts';
import { startProxiedRun } from '../support/proxied-run.ts';

describe('a network that', () => {
  it('resets 30% of its connections costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.set({ resetShare: 0.3 });
    proxy.reset();
    await expectWhole(inWork);
  });

  it('has a latency of 200 ms each way costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.set({ latencyMs: 200 });
    await expectWhole(inWork);
  });
});
