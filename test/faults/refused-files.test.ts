/** What a refused upload or batch began is removed at once, at whatever step the disk refuses it. */

import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '@embedmill/producer';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';

const log = pino({ level: 'silent' });

describe('a file', () => {
  it('whose publication fails is removed', async () => {
    const dataDir = temporaryFolder();
    const store = await FileStore.open({ assertLeaseHeld: () => {}, log }, dataDir);
    const draft = await store.begin('file-0000000000000000000');
    await draft.write(Buffer.alloc(1000));
    // `file.json` cannot be created any more: the step after the content was closed.
    await mkdir(join(dataDir, 'files', '.draft-file-0000000000000000000', 'file.json'));
    const facts = { filename: 'x', purpose: 'batch', expiresAt: null } as const;
    await expect(draft.commit(facts)).rejects.toThrow(/EEXIST/);
    await draft.discard();
    expect(readdirSync(join(dataDir, 'files'))).toEqual([]);
    store.close();
  });

  it('that was published stays when it is discarded afterwards', async () => {
    const dataDir = temporaryFolder();
    const store = await FileStore.open({ assertLeaseHeld: () => {}, log }, dataDir);
    const draft = await store.begin();
    const { id } = await draft.commit({ filename: 'x', purpose: 'batch', expiresAt: null });
    await draft.discard();
    expect(readdirSync(join(dataDir, 'files'))).toEqual([id]);
    store.close();
  });
});

it('a batch whose input cannot be kept leaves no folder', async () => {
  const api = await startApi();
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob(['{}\n']), 'x.jsonl');
  const { id } = await (await api.call('POST', '/v1/files', { body: form })).json();
  await rm(join(api.dataDir, 'files', id, 'content'));
  const answer = await api.call('POST', '/v1/batches', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input_file_id: id, endpoint: '/v1/embeddings', completion_window: '24h' }),
  });
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(readdirSync(join(api.dataDir, 'batches'))).toEqual([]);
  expect((await (await api.call('GET', '/v1/batches')).json()).data).toEqual([]);
});
