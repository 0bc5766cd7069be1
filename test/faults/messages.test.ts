/** Predictable faults are one bounded sentence, in answers, logs and terminals. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boundMessage, quote } from '@embedmill/contract';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi } from '../support/api.ts';
import { embedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startNode } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';

const PRODUCER = fileURLToPath(new URL('../../apps/producer/dist/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));

/** Sets the title, writes the clipboard, erases the line, reverses the text: ESC, C1 and bidi characters. */
const HOSTILE = '\x1b]0;owned\x07\x1b]52;c;cm0=\x07\x1b[2K\x9b31m\u202etxt.exe\r\b';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not pass
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

async function failure(entry: string, env: Record<string, string>): Promise<string> {
  const process = startNode([entry], { env: { EMBEDMILL_LOG_LEVEL: 'silent', ...env } });
  expect((await process.waitForExit()).code).toBe(1);
  return process.stderr;
}

describe('a process that cannot start', () => {
  it('says in one sentence that its port is in use, without a stack', async () => {
    const { url, prefix } = testRedis();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const env = {
      REDIS_URL: url,
      EMBEDMILL_PREFIX: prefix,
      EMBEDMILL_DATA_DIR: temporaryFolder(),
      PORT: `${port}`,
    };
    expect(await failure(PRODUCER, env)).toBe(
      `embedmill: port ${port} of 127.0.0.1 is in use; choose another one with PORT (0: any free port)\n`,
    );
  });

  it('names the folder that it cannot make', async () => {
    const { url, prefix } = testRedis();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const data = join(folder, 'file', 'data');
    const env = {
      REDIS_URL: url,
      EMBEDMILL_PREFIX: prefix,
      EMBEDMILL_DATA_DIR: data,
      EMBEDMILL_LOG_LEVEL: 'fatal',
      PORT: '0',
    };
    const { level, reason } = JSON.parse(await failure(PRODUCER, env));
    // pino's number for "fatal".
    expect(level).toBe(60);
    expect(reason).toMatch(/^ENOTDIR: /);
    expect(reason).toContain(data);
  });

  it('names the setting that cannot be used', async () => {
    for (const entry of [PRODUCER, WORKER]) {
      const stderr = await failure(entry, { REDIS_URL: 'http://redis:6379', PORT: '70000' });
      expect(stderr).toMatch(
        /^embedmill: The configuration is invalid:\n {2}- REDIS_URL: .*\n {2}- PORT: .*\n$/,
      );
    }
  });
});

describe('a message', () => {
  it('has at most 500 characters and no control characters', () => {
    expect(boundMessage('x'.repeat(100_000)).length).toBe(500);
    expect(boundMessage(HOSTILE)).not.toMatch(OBEYED);
    expect(boundMessage('first\nsecond')).toBe('first\nsecond');
    expect(quote(HOSTILE, 200)).not.toMatch(OBEYED);
    expect(quote('\u202e')).toBe(String.raw`"\u202e"`);
  });

  it('of the API is bounded, whatever was sent', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const columns = Array.from({ length: 5000 }, (_, i) => `${HOSTILE.replaceAll(/[\r,]/g, '')}column ${i}`);
    const answer = await api.call('POST', `/v1/runs/${id}/rows?part=0`, {
      headers: { 'content-type': 'text/csv' },
      body: `${columns.join(',')}\n`,
    });
    const body = await answer.text();
    const { code, detail } = JSON.parse(body);
    expect([answer.status, code]).toEqual([422, 'missing-column']);
    expect(detail.length).toBeLessThanOrEqual(500);
    expect(detail).not.toMatch(OBEYED);
    expect(body.length).toBeLessThan(3000);
  });
});

describe('the command', () => {
  it('shows texts and ids without the control characters in them', async () => {
    const folder = temporaryFolder();
    const rows = [
      { id: `a${HOSTILE}`, text: `quiet ${HOSTILE} morning` },
      { id: 'b', text: 'x' },
    ];
    writeFileSync(join(folder, 'in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const made = await embedmill(['embed', 'in.jsonl', '--to', 'out.jsonl', '--id', 'id'], { cwd: folder });
    expect([made.code, made.stderr]).toEqual([0, expect.anything()]);
    const found = await embedmill(
      ['search', 'out.jsonl', 'quiet', '--texts', 'in.jsonl', '--id', 'id', '--quiet'],
      {
        cwd: folder,
      },
    );
    expect(found.code).toBe(0);
    expect(found.stdout).toContain(String.raw`\u001b]0;owned`);
    expect(`${found.stdout}${found.stderr}${made.stderr}`).not.toMatch(OBEYED);
  });

  it('shows names of files and options without them', async () => {
    for (const args of [
      ['embed', `${HOSTILE}.jsonl`, '--to', 'x.npy'],
      ['search', `--${HOSTILE}`],
      [HOSTILE],
    ]) {
      const { code, stdout, stderr } = await embedmill(args);
      expect(code).not.toBe(0);
      expect(`${stdout}${stderr}`).not.toMatch(OBEYED);
    }
  });
});
