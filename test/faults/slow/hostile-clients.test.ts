/**
 * A producer with 1 GB of memory under 200 hostile clients of each kind: it lives, and others are served.
 * HOSTILE_SECONDS (default 60) is the time per kind; HOSTILE_KIND selects one.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { HOSTILE_CLIENTS } from '../../support/hostile-clients.ts';
import { memoryCgroup } from '../../support/memory-cgroup.ts';
import {
  type ProducerProcess,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';

const SECOND = 1000;
const CLIENTS = 200;
const SECONDS = Number(process.env.HOSTILE_SECONDS ?? 60);
const LIMIT_MB = 1024;
const MEGABYTE = 1024 * 1024;

/** What another client saw: the time of each answer, and the statuses other than 2xx. */
interface Served {
  seconds: number[];
  refused: Record<string, number>;
}

/** Sends small requests one after the other until the signal is aborted. */
async function useMeanwhile(producer: ProducerProcess, signal: AbortSignal): Promise<Served> {
  const served: Served = { seconds: [], refused: {} };
  const run = await producer.create();
  const steps = [
    () =>
      producer.call(
        'POST',
        '/v1/embed',
        { headers: { 'content-type': 'application/json' }, body: '{"text":"a quiet morning"}' },
        60 * SECOND,
      ),
    () => producer.call('GET', '/v1/runs?limit=2', {}, 60 * SECOND),
    (i: number) => producer.send(run, i, sentRows(10, 10 * i)),
  ];
  for (let i = 0; !signal.aborted; i++) {
    const startedAt = performance.now();
    const status = await steps[i % steps.length]!(i).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.ok ? '' : String(answer.status);
      },
      (error) => (error as Error).name,
    );
    if (status === '') served.seconds.push((performance.now() - startedAt) / SECOND);
    else served.refused[status] = (served.refused[status] ?? 0) + 1;
    await sleep(50);
  }
  return served;
}

const kinds = Object.entries(HOSTILE_CLIENTS).filter(([kind]) =>
  kind.includes(process.env.HOSTILE_KIND ?? ''),
);

for (const [kind, client] of kinds) {
  it(
    `a producer with 1 GB of memory survives ${kind} and serves others`,
    async ({ skip }) => {
      const cgroup = memoryCgroup(LIMIT_MB);
      if (cgroup === null) return skip('only root on Linux can create a cgroup');
      const redis = testRedis();
      const producer = await startProducerProcess(redis, temporaryFolder(), {}, { cgroup: cgroup.procs });
      await producer.ready();
      await startWorkerProcess(redis);
      const completedRun = await producer.create(252);
      await producer.send(completedRun, 0, sentRows(12_000));
      await producer.seal(completedRun);
      expect((await producer.ended(completedRun)).state).toBe('completed');
      const openRun = await producer.create(4096);

      const ending = new AbortController();
      const statuses: Record<string, number> = {};
      const port = Number(new URL(producer.url).port);
      const attack = Array.from({ length: CLIENTS }, (_, i) =>
        client({ port, openRun, completedRun, statuses }, i, ending.signal),
      );
      const other = useMeanwhile(producer, ending.signal);
      await Promise.race([sleep(SECONDS * SECOND), producer.process.exited]);
      ending.abort();
      await Promise.all(attack);
      const { seconds, refused } = await other;

      const rssBytes =
        1024 *
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${producer.process.pid}/status`, 'utf8'))?.[1]);
      seconds.sort((a, b) => a - b);
      const at = (part: number) => seconds[Math.floor(part * (seconds.length - 1))]?.toFixed(2);
      console.log(
        `${kind}: peak RSS ${Math.round(rssBytes / MEGABYTE)} MB, cgroup ${Math.round(cgroup.peakBytes() / MEGABYTE)} MB; ` +
          `hostile answers ${JSON.stringify(statuses)}; others: ${seconds.length} answers, median ${at(0.5)} s, 99 % ${at(0.99)} s, maximum ${at(1)} s, refused ${JSON.stringify(refused)}`,
      );
      expect(cgroup.oomKills()).toBe(0);
      expect(rssBytes).toBeLessThan(0.9 * LIMIT_MB * MEGABYTE);
      expect(refused).toEqual({});
      expect(seconds.length).toBeGreaterThan(SECONDS / 3);
      expect((await producer.call('GET', '/healthz')).status).toBe(200);
    },
    (SECONDS + 120) * SECOND,
  );
}
