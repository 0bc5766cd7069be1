/** Outages fire the shipped alerts on a real Prometheus, reach the producer through Alertmanager, and end with the outage. */

import type { Alert } from '@embedmill/contract';
import { expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { embedmill } from '../../support/embedmill.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import {
  hasAlertmanager,
  hasPrometheus,
  startAlertmanager,
  startPrometheus,
  type TestPrometheus,
} from '../../support/prometheus.ts';
import { redisProcess } from '../../support/redis-process.ts';
import { fill, smallFolder } from '../../support/small-folder.ts';

const NOT_INSTALLED = "prometheus is not installed (Debian's package): the alerts are not produced";
const NO_ALERTMANAGER =
  "alertmanager is not installed (Debian's prometheus-alertmanager): alerts do not reach the producer";

/** Alerts wait for up to 2 min before they fire. */
const ALERT_MS = 240_000;

/** Query of the panel "Firing alerts" of the Overview dashboard. */
const FIRING = 'ALERTS{alertstate="firing"}';

/** Resolves once all of these alerts fire. */
async function whenFiring(prometheus: TestPrometheus, names: readonly string[]): Promise<void> {
  let firing: (string | undefined)[] = [];
  await until(async () => {
    firing = (await prometheus.query(FIRING)).map(({ metric }) => metric.alertname);
    return names.every((name) => firing.includes(name));
  }, ALERT_MS).catch(() => expect(firing).toEqual(names));
}

const whenQuiet = (prometheus: TestPrometheus) =>
  until(async () => (await prometheus.query(FIRING)).length === 0, ALERT_MS);

it('Redis stopped, a worker lost, the disk filled, the producer stopped', { timeout: 900_000 }, async ({
  skip,
}) => {
  if (!hasPrometheus) return skip(NOT_INSTALLED);
  if (!hasAlertmanager) console.warn(NO_ALERTMANAGER);
  const dataDir = smallFolder(8) ?? undefined;
  const redis = await redisProcess();
  await redis.start();
  const place = { url: redis.url, prefix: 'alerts' };
  const producer = await startProducerProcess(place, dataDir ?? temporaryFolder());
  await producer.ready();
  const worker = await startWorkerProcess(place);
  const alertmanager = hasAlertmanager ? await startAlertmanager(producer.url) : undefined;
  const prometheus = await startPrometheus({ 'embedmill-producer': [producer.url] }, alertmanager);
  await whenQuiet(prometheus);

  /** Resolves once the producer shows these alerts, or none if there are no names. */
  const whenShown = async (names: readonly string[]): Promise<readonly Alert[]> => {
    if (!hasAlertmanager) return [];
    let shown: Alert[] = [];
    await until(async () => {
      ({ alerts: shown } = (await (await producer.call('GET', '/v1/alerts')).json()) as { alerts: Alert[] });
      const shownNames = shown.map(({ name }) => name);
      return names.length === 0 ? shown.length === 0 : names.every((name) => shownNames.includes(name));
    }, ALERT_MS).catch(() => expect(shown.map(({ name }) => name)).toEqual(names));
    return shown;
  };

  await redis.kill();
  await whenFiring(prometheus, ['EmbedmillRedisUnavailable']);
  await whenShown(['EmbedmillRedisUnavailable']);
  await redis.start();
  await producer.ready();
  await whenQuiet(prometheus);
  await whenShown([]);

  worker.kill('SIGKILL');
  const run = await producer.create();
  await producer.send(run, 0, sentRows(100));
  await whenFiring(prometheus, ['EmbedmillNoWorkers']);
  const shown = await whenShown(['EmbedmillNoWorkers']);
  if (hasAlertmanager) {
    expect(shown.filter(({ name }) => name === 'EmbedmillNoWorkers')).toMatchObject([
      {
        severity: 'critical',
        summary: '10 batches are waiting and no worker is connected.',
        runbookUrl: 'http://localhost:8080/#/runbook/embedmillnoworkers',
      },
    ]);
    const { stdout } = await embedmill(['status', '--server', producer.url]);
    expect(stdout).toMatch(/^critical alert: EmbedmillNoWorkers for .+: 10 batches are waiting/m);
  }
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
