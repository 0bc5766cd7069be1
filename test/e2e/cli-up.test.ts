/** `up` and `doctor`. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { embedmill, startEmbedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('up', () => {
  test('--sample --once embeds the sample, searches it and exits with 0', async () => {
    const dataDir = temporaryFolder();
    const call = startEmbedmill(['up', '--port', '0', '--sample', '--once'], {
      env: { EMBEDMILL_DATA_DIR: dataDir, EMBEDMILL_WORKER_PORT: '0' },
    });
    expect(await call.waitForExit(170_000)).toMatchObject({ code: 0 });
    expect(call.stdout).toMatch(/2,500 vectors of 384 in .*: .* rows\/s, .* tokens\/s/);
    const [question = '', ...cosines] = [...call.stdout.matchAll(/^ {2}(\d\.\d{3}) {2}\S/gm)].map(
      ([, cosine]) => cosine,
    );
    expect([question, ...cosines]).toHaveLength(3);
    expect(Number(question)).toBeGreaterThan(0.4);
    expect([question, ...cosines].toSorted().reverse()).toEqual([question, ...cosines]);
    expect(readdirSync(join(dataDir, 'runs'))).toHaveLength(1);
  });

  test('serves until Ctrl-C', async () => {
    const call = startEmbedmill(['up', '--port', '0', '--threads', '1'], {
      env: { EMBEDMILL_DATA_DIR: temporaryFolder(), EMBEDMILL_WORKER_PORT: '0' },
    });
    const [, ready = ''] = await call.waitFor(/Ready +(http\S+)/, 60_000);
    expect(await fetch(ready)).toMatchObject({ status: 200 });
    call.kill('SIGINT');
    expect(await call.waitForExit()).toEqual({ code: 0, signal: null });
    await expect(fetch(ready)).rejects.toThrow();
  });
});

describe('doctor', () => {
  test('reports what it checked on a working machine', async () => {
    const { code, stdout } = await embedmill(['doctor'], { env: { EMBEDMILL_DATA_DIR: temporaryFolder() } });
    expect(stdout).toMatch(/^✓ Node/m);
    expect(stdout).toMatch(/^✓ Model +all-MiniLM-L6-v2 int8, fingerprint [0-9a-f]{16}/m);
    expect(stdout).toMatch(/^✓ Vectors/m);
    expect(code).toBe(0);
  });

  test('exits with 1 and names what is broken', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'where a folder should be');
    const { code, stdout } = await embedmill(['doctor', '--json'], {
      env: { EMBEDMILL_DATA_DIR: join(file, 'data'), REDIS_URL: 'redis://:secret@127.0.0.1:1' },
    });
    const broken = JSON.parse(stdout).filter(({ health }: { health: string }) => health === 'broken');
    expect(broken.map(({ subject }: { subject: string }) => subject)).toEqual(['Redis', 'Data']);
    expect(stdout).not.toContain('secret');
    expect(code).toBe(1);
  });
});
