/** The check before each write: once a producer must not write, nothing in its data folder changes. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UnavailableError } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import { FileStore, OpenAiBatchStore } from '@embedmill/producer';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { rowsOf, startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const TEXTS = Array.from({ length: 40 }, (_, i) => `opinion ${i}`);
const PARAMS = {
  endpoint: '/v1/embeddings',
  completionWindow: '24h',
  windowMs: 86_400_000,
  metadata: null,
  outputExpiresAfterSeconds: null,
};

/** Every file below a folder with its content; folders as `null`. */
function contentsOf(folder: string): Record<string, string | null> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const content = (path: string) => (statSync(path).isFile() ? readFileSync(path, 'base64') : null);
  return Object.fromEntries(names.map((name) => [name, content(join(folder, name))]));
}

it('refuses every write to runs, files and batches, and no byte changes', async () => {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  let isOwned = true;
  const assertLeaseHeld = () => {
    if (!isOwned) throw new UnavailableError('folder-lost', 'another producer owns the folder');
  };
  const log = pino({ level: 'silent' });
  const collecting = await startCollecting(redis, dataDir, { assertLeaseHeld });
  const { runs } = collecting;
  const files = await FileStore.open({ assertLeaseHeld, log }, dataDir);
  const batches = await OpenAiBatchStore.open(
    { runs, files, config: readConfig({}), assertLeaseHeld, log },
    dataDir,
  );
  onTestFinished(async () => {
    await batches.close();
    files.close();
  });
  const done = await collecting.submit(TEXTS);
  const open = await collecting.submit(TEXTS, { seal: false });
  const kept = await files.begin();
  await kept.write(Buffer.from('{}\n'));
  const { id: file } = await kept.commit({ filename: 'a', purpose: 'batch', expiresAt: null });
  const draft = await files.begin();
  await draft.write(Buffer.from('half'));
  const batch = await batches.create({ ...PARAMS, inputFileId: file });
  await until(() => batch.state === 'failed');
  await startHashWorker(redis);
  await whenEnded(done);
  // Both batches of the open run are stored before the folder is lost.
  await until(() => open.info().batches.stored === 2);
  isOwned = false;
  const before = contentsOf(dataDir);

  const part = { part: 1, rows: rowsOf(TEXTS), sha256: () => 'sha' };
  const attempts: Record<string, () => Promise<unknown>> = {
    'create a run': () => runs.create({ options: done.options }),
    'add rows': () => open.addPart(part),
    'seal a run': () => open.seal(),
    'cancel a run': () => open.cancel(),
    'remove a run': () => runs.remove(done.id),
    'begin a file': () => files.begin(),
    'write to a file': () => draft.write(Buffer.from('more')),
    'publish a file': () => draft.commit({ filename: 'b', purpose: 'batch', expiresAt: null }),
    'remove a file': () => files.remove(file),
    'create a batch': () => batches.create({ ...PARAMS, inputFileId: file }),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    await expect(attempt(), what).rejects.toMatchObject({ code: 'folder-lost' });
    expect(contentsOf(dataDir), what).toEqual(before);
  }
});

it('keeps results in Redis that must not be stored', async () => {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  let isOwned = true;
  const assertLeaseHeld = () => {
    if (!isOwned) throw new UnavailableError('redis-unavailable', 'the lease may have expired');
  };
  const { submit, logged } = await startCollecting(redis, dataDir, { assertLeaseHeld });
  const run = await submit(TEXTS);
  isOwned = false;
  const before = contentsOf(dataDir);
  await startHashWorker(redis);
  await until(() => logged.some(({ reason }) => reason === 'the lease may have expired'));
  expect(contentsOf(dataDir)).toEqual(before);
  isOwned = true;
  await whenEnded(run);
  expect(run.info()).toMatchObject({ state: 'completed', verdicts: { ok: TEXTS.length } });
});
