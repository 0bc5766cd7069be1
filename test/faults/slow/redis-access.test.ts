/** Redis by unix socket, with client certificates, and with a user of few rights. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { expectEmbeds } from '../../support/embed-on.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { postEmbed } from '../../support/lane.ts';
import { expectAnswer } from '../../support/lane-faults.ts';
import { expectWhole, startProducerProcess, startRunInWork } from '../../support/mill.ts';
import { freePort, hasTls, type RedisProcess, redisProcess } from '../../support/redis-process.ts';

/** The lines of docs/deploy.md that create the user. */
const DEPLOY = readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8');

/** A run during which Redis is killed and started again, a call after it, all pages that read Redis, and a command. */
async function expectServes(redis: RedisProcess, url: string, prefix = 'em'): Promise<void> {
  const mill = await startRunInWork({ url, prefix });
  await redis.kill();
  await redis.start();
  await expectWhole(mill);
  await mill.producer.ready();
  await expectAnswer(await postEmbed(mill.producer.url, { text: 'a call' }), ['a call']);
  for (const path of ['/v1/overview', '/v1/scale', '/metrics', '/readyz', '/admin/queues/api/queues'])
    expect((await mill.producer.call('GET', path)).status).toBe(200);
  await expectEmbeds(url);
}

describe('a Redis', () => {
  it('on a unix socket, with a user that may do what docs/deploy.md permits, serves a run', async () => {
    const path = join(temporaryFolder(), 'redis.sock');
    const [, rule = ''] = /^ACL SETUSER embedmill (on .*)$/m.exec(DEPLOY) ?? [];
    expect(rule).toContain('~{em*');
    const redis = await redisProcess(['--unixsocket', path, '--user', 'embedmill', ...rule.split(' ')]);
    await redis.start();
    await expectServes(redis, `unix://embedmill:secret@${path}`);
    const denied = (await redis.ask((client) => client.call('ACL', 'LOG'))) as string[][];
    // Redis 6.2 does not know the CLIENT SETINFO that ioredis tries.
    expect(denied.filter((entry) => entry[entry.indexOf('object') + 1] !== 'client')).toEqual([]);
  });

  it('with TLS that requires client certificates serves a run, and says what is missing without one', async ({
    skip,
  }) => {
    if (!(await hasTls())) return skip('this redis-server was built without TLS');
    const { ca, cert, key } = certificates();
    const port = await freePort();
    const files = ['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key];
    const redis = await redisProcess(['--tls-port', String(port), ...files]);
    await redis.start();
    await expectServes(redis, `rediss://127.0.0.1:${port}?ca=${ca}&cert=${cert}&key=${key}`);
    const stranger = await startProducerProcess(
      { url: `rediss://127.0.0.1:${port}?ca=${ca}`, prefix: 'em' },
      temporaryFolder(),
    );
    await until(() => /certificate/.test(stranger.process.stderr));
  });
});

/** A certificate for 127.0.0.1 that is its own authority. */
function certificates(): { ca: string; cert: string; key: string } {
  const folder = temporaryFolder();
  const [cert, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=embedmill test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return { ca: cert, cert, key };
}
