/** OpenAI files with the official client: upload, list, download, delete, and failed uploads. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestApiOptions, until } from '../support/api.ts';

const MEGABYTE = 1024 * 1024;

async function start(options: TestApiOptions = {}): Promise<{ api: TestApi; client: OpenAI }> {
  const api = await startApi(options);
  return { api, client: new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

const upload = async (client: OpenAI, text: string, name = 'requests.jsonl') =>
  client.files.create({ file: await toFile(Buffer.from(text), name), purpose: 'batch' });

/** Names in the folder of files, including drafts. */
const kept = (api: TestApi): string[] => readdirSync(join(api.dataDir, 'files'));

/** A raw multipart form. */
const form = (api: TestApi, parts: readonly string[], end = '--frame--\r\n') =>
  api.call('POST', '/v1/files', {
    headers: { 'content-type': 'multipart/form-data; boundary=frame' },
    body: parts.map((part) => `--frame\r\nContent-Disposition: form-data; ${part}\r\n`).join('') + end,
  });

const FILE_PART = 'name="file"; filename="a.jsonl"\r\n\r\n{}';

describe('the official client', () => {
  it('uploads a file and gets the same bytes back', async () => {
    const { client } = await start();
    const text = 'Zeile äöü 👍\n'.repeat(100_000);
    const file = await upload(client, text, 'grüße.jsonl');
    expect(file).toEqual({
      id: expect.stringMatching(/^file-[0-9a-z]{19}$/),
      object: 'file',
      bytes: Buffer.byteLength(text),
      created_at: expect.any(Number),
      filename: 'grüße.jsonl',
      purpose: 'batch',
      status: 'processed',
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await client.files.waitForProcessing(file.id)).toEqual(file);
    expect(await (await client.files.content(file.id)).text()).toBe(text);
  });

  it('may read and delete a file at the same time', async () => {
    const { api, client } = await start();
    for (let round = 0; round < 20; round++) {
      const { id } = await upload(client, 'x'.repeat(1000));
      const calls = Array.from({ length: 8 }, (_, i) =>
        i % 2 === 0 ? api.call('GET', `/v1/files/${id}/content`) : api.call('DELETE', `/v1/files/${id}`),
      );
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      expect(statuses.every((status) => status === 200 || status === 404)).toBe(true);
      expect((await api.call('GET', `/v1/files/${id}`)).status).toBe(404);
    }
  });

  it('pages through the list, newest first or oldest first', async () => {
    const { api, client } = await start();
    const made: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) made.push((await upload(client, name)).id);
    // Ids from the same millisecond have no defined order.
    const sorted = made.toSorted();
    const names: string[] = [];
    for await (const { id } of client.files.list({ limit: 2, order: 'asc' })) names.push(id);
    expect(names).toEqual(sorted);
    const page = await client.files.list({ limit: 2 });
    expect(page.data.map(({ id }) => id)).toEqual(sorted.toReversed().slice(0, 2));
    expect(page.has_more).toBe(true);
    const raw = await (await api.call('GET', '/v1/files?limit=2')).json();
    expect([raw.object, raw.first_id, raw.last_id]).toEqual(['list', sorted[4], sorted[3]]);
    expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
  });

  it('deletes a file permanently', async () => {
    const { api, client } = await start();
    const { id } = await upload(client, 'text');
    expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
    expect(kept(api)).toEqual([]);
    await expect(client.files.retrieve(id)).rejects.toMatchObject({ status: 404, param: 'id' });
    await expect(client.files.content(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.files.delete(id)).rejects.toThrow(`No such File object: "${id}"`);
  });

  it('can set when a file expires', async () => {
    const { client } = await start();
    const file = await client.files.create({
      file: await toFile(Buffer.from('x'), 'x.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(file.expires_at! - file.created_at).toBeGreaterThanOrEqual(3599);
    expect(file.expires_at! - file.created_at).toBeLessThanOrEqual(3601);
  });

  it('cannot use another purpose', async () => {
    const { api, client } = await start();
    const file = await toFile(Buffer.from('x'), 'x.jsonl');
    const call = client.files.create({ file, purpose: 'fine-tune' });
    await expect(call).rejects.toMatchObject({ status: 400, param: 'purpose' });
    expect(kept(api)).toEqual([]);
  });
});

describe('the content of a file', () => {
  it('can be downloaded in ranges', async () => {
    const { api, client } = await start();
    const { id } = await upload(client, '0123456789');
    const ask = (range: string) => api.call('GET', `/v1/files/${id}/content`, { headers: { range } });
    const middle = (await ask('bytes=2-4')) as unknown as Response;
    expect([middle.status, middle.headers.get('content-range'), await middle.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    expect(await ((await ask('bytes=7-')) as unknown as Response).text()).toBe('789');
    const beyond = await ask('bytes=10-');
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  });

  it('may be empty', async () => {
    const { client } = await start();
    const { id, bytes } = await upload(client, '');
    expect([bytes, await (await client.files.content(id)).text()]).toEqual([0, '']);
  });
});

describe('a failed upload', () => {
  it('without a form is rejected', async () => {
    const { api } = await start();
    const headers = { 'content-type': 'application/json' };
    const response = await api.call('POST', '/v1/files', { headers, body: '{}' });
    expect([response.status, (await response.json()).error.message]).toEqual([
      400,
      'Invalid Content-Type: expected multipart/form-data with a boundary.',
    ]);
  });

  it('without a file or without a purpose is rejected and leaves no files behind', async () => {
    const { api } = await start();
    const noFile = await form(api, ['name="purpose"\r\n\r\nbatch']);
    expect([noFile.status, (await noFile.json()).error.param]).toEqual([400, 'file']);
    const noPurpose = await form(api, [FILE_PART]);
    expect([noPurpose.status, (await noPurpose.json()).error.param]).toEqual([400, 'purpose']);
    expect(kept(api)).toEqual([]);
  });

  it('accepts the purpose before or after the file', async () => {
    const { api } = await start();
    const purpose = 'name="purpose"\r\n\r\nbatch';
    for (const parts of [
      [purpose, FILE_PART],
      [FILE_PART, purpose],
    ]) {
      const response = await form(api, parts);
      expect(await response.json()).toMatchObject({ filename: 'a.jsonl', bytes: 2 });
    }
  });

  it('that is interrupted leaves no files behind', async () => {
    const { api } = await start();
    const response = await form(api, [FILE_PART], '');
    expect([response.status, (await response.json()).error.message]).toEqual([
      400,
      expect.stringContaining('The multipart form cannot be read'),
    ]);
    await until(() => kept(api).length === 0);
  });

  it('over the size limit is reported and leaves no files behind', async () => {
    const { api, client } = await start({ config: { maxFileBytes: MEGABYTE } });
    await expect(upload(client, 'x'.repeat(3 * MEGABYTE))).rejects.toMatchObject({ status: 413 });
    await until(() => kept(api).length === 0);
  });

  it('that stalls is reported and leaves no files behind', async () => {
    const { api } = await start({ limits: { bodyStallMs: 100 } });
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(Buffer.from(`--frame\r\nContent-Disposition: form-data; ${FILE_PART}`));
      },
    });
    const headers = { 'content-type': 'multipart/form-data; boundary=frame' };
    const response = await api.call('POST', '/v1/files', { headers, body, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(408);
    await until(() => kept(api).length === 0);
  });
});
