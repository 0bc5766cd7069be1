/** Failovers of Sentinels and clusters during a run: no row is lost, and interactive calls work afterwards. */

import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { startCalls } from '../../support/call-checker.ts';
import { expectEmbeds } from '../../support/embed-on.ts';
import { postEmbed } from '../../support/lane.ts';
import { expectAnswer } from '../../support/lane-faults.ts';
import { expectWhole, startRunInWork } from '../../support/mill.ts';
import {
  endReplication,
  PRIMARY_NAME,
  type RedisGroup,
  startCluster,
  startSentinels,
} from '../../support/redis-groups.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SECOND = 1000;

const PREFIX = 'groups';

/** Kills the primary, and with it all that it took since some time: its replica does not have these writes. */
async function loseWrites(group: RedisGroup, whenMoreAreDone: () => Promise<void>): Promise<void> {
  const primary = await group.primary(PREFIX);
  await endReplication(primary);
  await whenMoreAreDone();
  await primary.kill();
}

/** A run and calls go on while `failOver` makes another server the primary. */
async function expectFailover(
  group: RedisGroup,
  failOver: (group: RedisGroup, whenMoreAreDone: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const place = { url: group.url, prefix: PREFIX };
  const mill = await startRunInWork(place, 400);
  await expectAnswer(await postEmbed(mill.producer.url, { text: 'before' }), ['before']);
  const end = startCalls({ url: () => mill.producer.url, callers: 1, random: seededRandom(18) });
  const doneRows = async () => (await mill.producer.info(mill.run)).rows.done;
  const before = await group.primary(PREFIX);
  await failOver(group, async () => {
    const start = await doneRows();
    await until(async () => (await doneRows()) > start + 50);
  });
  await until(async () => (await group.primary(PREFIX).catch(() => before)) !== before, 60 * SECOND);
  await expectWhole(mill);
  await mill.producer.ready();
  const calls = await end();
  expect(calls.faults).toEqual([]);
  await expectAnswer(await postEmbed(mill.producer.url, { text: 'after' }), ['after']);
  const second = await mill.producer.create();
  const rows = [{ id: 'a', text: 'once more' }];
  await mill.producer.send(second, 0, rows);
  await mill.producer.seal(second);
  await expectWhole({ producer: mill.producer, run: second, rows });
}

describe('Sentinels', () => {
  it('promote a replica without the latest writes when the primary is killed, and no row is lost', async () => {
    const group = await startSentinels();
    await expectFailover(group, loseWrites);
    await expectEmbeds(group.url);
  });

  it('exchange a primary that lives, and no row is lost', async () => {
    await expectFailover(await startSentinels(), async ({ sentinel }) => {
      await sentinel?.call('SENTINEL', 'FAILOVER', PRIMARY_NAME);
    });
  });
});

describe('a cluster', () => {
  it('replaces a killed node by a replica without the latest writes, and no row is lost', async () => {
    const group = await startCluster();
    await expectFailover(group, loseWrites);
    await expectEmbeds(group.url);
  });

  it('exchanges a node that lives and keeps its connections open, and no row is lost', async () => {
    await expectFailover(await startCluster(), async (group) => {
      const { port } = await group.primary(PREFIX);
      const index = group.servers.findIndex((server) => server.port === port);
      // Nodes 3 to 5 are the replicas of 0 to 2.
      await group.servers[index + 3]!.ask((redis) => redis.cluster('FAILOVER'));
    });
  });

  it('spreads fleets with different prefixes over its nodes', async () => {
    const group = await startCluster();
    const fleets = new Map<unknown, string>();
    for (const prefix of 'abcdefgh') fleets.set(await group.primary(prefix), prefix);
    expect(fleets.size).toBe(3);
    for (const prefix of fleets.values()) {
      const mill = await startRunInWork({ url: group.url, prefix }, 50);
      await expectWhole(mill);
      await expectAnswer(await postEmbed(mill.producer.url, { text: 'a call' }), ['a call']);
    }
  });
});
