/** A network to Redis that is cut, silent, narrow or half open: runs take longer and lose no row. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { expectWhole } from '../../support/mill.ts';
import { startProxiedRun } from '../../support/proxied-run.ts';

const SECOND = 1000;

describe('a network that', () => {
  it('resets every connection repeatedly costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    const storm = setInterval(() => proxy.reset(), 300);
    onTestFinished(() => clearInterval(storm));
    await new Promise((resolve) => setTimeout(resolve, 4 * SECOND));
    clearInterval(storm);
    await expectWhole(inWork);
  });

  it('is limited to 64 KB/s costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.set({ bytesPerSecond: 64 * 1024 });
    await expectWhole(inWork);
  });

  it.each(['freeze', 'vanish'] as const)(
    'does not deliver bytes (%s) is abandoned for new connections',
    async (traffic) => {
      const { proxy, ...inWork } = await startProxiedRun();
      proxy.set({ traffic });
      expect((await inWork.producer.call('GET', '/readyz', {}, 4 * SECOND)).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 4 * SECOND));
      proxy.set({ traffic: 'pass' });
      await expectWhole(inWork);
    },
  );

  it('leaves its connections half open is detected, and the run continues', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.halve();
    await expectWhole(inWork);
  });
});
