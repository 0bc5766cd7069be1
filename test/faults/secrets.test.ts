/** A Redis with a password and TLS works, and no log contains the password or a text. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import {
  faultsOfResults,
  resultLines,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../support/mill.ts';
import { hasTls, redisProcess } from '../support/redis-process.ts';

/** Contains characters that must be encoded in a URL. */
const PASSWORD = 'open:sesame/42%&';
const ENCODED = encodeURIComponent(PASSWORD);
/** Part of every text, including those that fail. */
const PRIVATE = 'zebrafinch';

/** Creates a self-signed certificate for 127.0.0.1 and its key. */
function selfSigned(): { certificate: string; key: string } {
  const folder = temporaryFolder();
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=embedmill test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...files], { stdio: 'pipe' });
  return { certificate, key };
}

it('a Redis with TLS and a password serves a run and is restarted, and no log has a secret', async ({
  skip,
}) => {
  if (!(await hasTls())) return skip('this redis-server was built without TLS');
  const { certificate, key } = selfSigned();
  const redis = await redisProcess(
    ['--requirepass', PASSWORD, '--tls-cert-file', certificate, '--tls-key-file', key],
    {
      urlOf: (port) => `rediss://:${ENCODED}@127.0.0.1:${port}`,
      ca: readFileSync(certificate, 'utf8'),
    },
  );
  await redis.start();
  const place = { url: redis.url, prefix: 'tls' };
  const env = { NODE_EXTRA_CA_CERTS: certificate, EMBEDMILL_LOG_LEVEL: 'trace' };
  const producer = await startProducerProcess(place, temporaryFolder(), env);
  await producer.ready();
  const worker = await startWorkerProcess(place, {
    ...env,
    HASH_ENGINE_REFUSES: 'sour',
    HASH_ENGINE_TEXT_MS: '5',
  });
  const rows = sentRows(200).map(({ id, text }, i) => ({
    id,
    text: `${text} ${PRIVATE}${i === 7 ? ' sour' : ''}`,
  }));
  const run = await producer.create();
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  const broken = { headers: { 'content-type': 'application/x-ndjson' }, body: `{"text":"${PRIVATE}"\n` };
  await producer.call('POST', `/v1/runs/${run}/rows?part=1`, broken);
  await producer.call('POST', `/v1/runs/${run}/rows?part=2&textField=${PRIVATE}`, broken);
  await producer.call('GET', `/v1/runs?${PRIVATE}=1`);
  await redis.kill();
  await producer.call('POST', `/v1/runs/${run}/rows?part=3`, broken);
  await redis.start();
  await producer.ready();
  await producer.seal(run);
  expect(await producer.ended(run, 60_000)).toMatchObject({ verdicts: { ok: 199, failed: 1 } });
  expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual(['row id-7 has no vector']);

  const strangers = [
    // Without the authority's certificate, and with another password.
    await startProducerProcess(place, temporaryFolder(), { EMBEDMILL_LOG_LEVEL: 'trace' }),
    await startProducerProcess(
      { ...place, url: redis.url.replace(ENCODED, `${ENCODED}x`) },
      temporaryFolder(),
      env,
    ),
  ];
  await strangers[0]!.process.waitFor(/self[- ]signed certificate/);
  await strangers[1]!.process.waitFor(/WRONGPASS|invalid username-password/);
  for (const { call } of strangers) expect((await call('GET', '/readyz')).status).toBe(503);

  for (const { stdout, stderr } of [producer.process, worker, ...strangers.map(({ process }) => process)]) {
    expect(stderr.length).toBeGreaterThan(100);
    for (const secret of [PASSWORD, ENCODED, 'sesame', PRIVATE])
      expect(stdout + stderr).not.toContain(secret);
  }
});
