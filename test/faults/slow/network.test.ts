/** The network between everything and Redis is cut, silent, narrow or half open: runs take longer and end whole. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { expectWhole } from '../../support/mill.ts';
import { startProxiedRun } from '../../support/proxied-run.ts';

const SECOND = 1000;

describe('a network that', () => {
  it('resets every connection again and again costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    const storm = setInterval(() => proxy.reset(), 300);
    onTestFinished(() => clearInterval(storm));
    await new Promise((resolve) => setTimeout(resolve, 4 * SECOND));
    clearInterval(storm);
    await expectWhole(inWork);
  });

  it('lets 64 KB/s through costs time and no row', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.set({ bytesPerSecond: 64 * 1024 });
    await expectWhole(inWork);
  });

  it.each(['freeze', 'vanish'] as const)(
    'does not pass its bytes on (%s) is given up and tried again',
    async (traffic) => {
      const { proxy, ...inWork } = await startProxiedRun();
      proxy.set({ traffic });
      expect((await inWork.producer.call('GET', '/readyz', {}, 4 * SECOND)).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 4 * SECOND));
      proxy.set({ traffic: 'pass' });
      await expectWhole(inWork);
    },
  );

  it('leaves its connections half open is noticed, and the run goes on', async () => {
    const { proxy, ...inWork } = await startProxiedRun();
    proxy.halve();
    await expectWhole(inWork);
  });
});
