/** Outages fire the shipped alerts on a real Prometheus, and the alerts end with the outage. */

import { expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { hasPrometheus, startPrometheus, type TestPrometheus } from '../../support/prometheus.ts';
import { redisProcess } from '../../support/redis-process.ts';
import { fill, smallFolder } from '../../support/small-folder.ts';

const NOT_INSTALLED = "prometheus is not installed (Debian's package): the alerts are not produced";

/** Alerts wait for up to 2 min before they fire. */
const ALERT_MS = 240_000;

/** Resolves once exactly these alerts fire, in alphabetical order. */
async function whenFiring(prometheus: TestPrometheus, names: readonly string[]): Promise<void> {
  let firing: (string | undefined)[] = [];
  await until(async () => {
    firing = (await prometheus.query('ALERTS{alertstate="firing"}')).map(({ metric }) => metric.alertname);
    return names.every((name) => firing.includes(name));
  }, ALERT_MS).catch(() => expect(firing).toEqual(names));
}

const whenQuiet = (prometheus: TestPrometheus) =>
  until(async () => (await prometheus.query('ALERTS{alertstate="firing"}')).length === 0, ALERT_MS);

it('Redis stopped, a worker lost, the disk filled, the producer stopped', async ({ skip }) => {
  if (!hasPrometheus) return skip(NOT_INSTALLED);
  const dataDir = smallFolder(8) ?? undefined;
  const redis = await redisProcess();
  await redis.start();
  const place = { url: redis.url, prefix: 'alerts' };
  const producer = await startProducerProcess(place, dataDir ?? temporaryFolder());
  await producer.ready();
  const worker = await startWorkerProcess(place);
  const prometheus = await startPrometheus({ 'embedmill-producer': [producer.url] });
  await whenQuiet(prometheus);

  await redis.kill();
  await whenFiring(prometheus, ['EmbedmillRedisUnavailable']);
  await redis.start();
  await producer.ready();
  await whenQuiet(prometheus);

  worker.kill('SIGKILL');
  const run = await producer.create();
  await producer.send(run, 0, sentRows(100));
  await whenFiring(prometheus, ['EmbedmillNoWorkers']);
  const next = await startWorkerProcess(place);
  await whenQuiet(prometheus);

  if (dataDir !== undefined) {
    fill(`${dataDir}/filler`);
    await whenFiring(prometheus, ['EmbedmillDataFolderUnavailable']);
  }
  next.kill('SIGKILL');
  producer.process.kill('SIGTERM');
  await whenFiring(prometheus, ['EmbedmillProducerGone', 'EmbedmillTargetDown']);
});
