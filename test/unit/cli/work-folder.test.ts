/** The work folder of an output and its lock. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, markOf } from '@embedmill/core/process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OutputLock } from '../../../apps/cli/src/commands/embed/lock.ts';
import { WorkFolder } from '../../../apps/cli/src/commands/embed/work-folder.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';
import { refuseLinks } from '../../support/refuse-links.ts';

/** A process that does nothing until it is killed. */
const idle = () => startNode(['-e', 'setInterval(() => {}, 1000)']);

describe('the lock of a work folder', () => {
  test('is refused while another process holds it, which the error names', async () => {
    const folder = temporaryFolder();
    const owner = idle();
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ owner: markOf(owner.pid), children: [] }));
    await expect(OutputLock.take(folder, '/out.npy')).rejects.toThrow(
      `/out.npy is being written by another embedmill (process ${owner.pid})`,
    );
  });

  test('is taken over from a dead process', async () => {
    const folder = temporaryFolder();
    const owner = idle();
    const mark = markOf(owner.pid);
    owner.kill('SIGKILL');
    await owner.exited;
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ owner: mark, children: [] }));
    (await OutputLock.take(folder, '/out.npy')).release();
    expect(existsSync(join(folder, 'lock.json'))).toBe(false);
  });

  test.runIf(process.platform === 'linux')(
    'is taken over from a dead process whose id lives on',
    async () => {
      const folder = temporaryFolder();
      const other = idle();
      const mark = { pid: other.pid, startTicks: 1 };
      writeFileSync(join(folder, 'lock.json'), JSON.stringify({ owner: mark, children: [mark] }));
      await OutputLock.take(folder, '/out.npy');
      expect(isRunning(markOf(other.pid))).toBe(true);
    },
  );

  test.runIf(process.platform === 'linux')(
    'is free after its holder ends, even if no parent has read the exit code',
    async () => {
      // The second program does not know the child of the first one, so it never reads its exit code.
      const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void parent.kill('SIGKILL'));
      const mark = markOf(Number(String((await once(parent.stdout, 'data'))[0])));
      expect(isRunning(mark)).toBe(true);
      await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
      process.kill(mark.pid, 'SIGKILL');
      await expect.poll(() => isRunning(mark)).toBe(false);
      expect(() => process.kill(mark.pid, 0)).not.toThrow();
    },
  );

  test.runIf(process.platform === 'linux')(
    'waits for children of a dead process, then ends them',
    async () => {
      const folder = temporaryFolder();
      const child = idle();
      const owner = { pid: 2 ** 22 + 1, startTicks: 1 };
      writeFileSync(join(folder, 'lock.json'), JSON.stringify({ owner, children: [markOf(child.pid)] }));
      await OutputLock.take(folder, '/out.npy');
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    },
  );

  test.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('needs no hard links (%s)', async (code) => {
    refuseLinks(code);
    const folder = temporaryFolder();
    const lock = await OutputLock.take(folder, '/out.npy');
    await expect(OutputLock.take(folder, '/out.npy')).rejects.toMatchObject({ code: 'output-in-use' });
    lock.release();
    (await OutputLock.take(folder, '/out.npy')).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is taken over from a command that was killed while it wrote the file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'lock.json'), '');
    (await OutputLock.take(folder, '/out.npy')).release();
  });

  test('records the children of its owner', async () => {
    const folder = temporaryFolder();
    const lock = await OutputLock.take(folder, '/out.npy');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    lock.addChild(child.pid!);
    await expect(OutputLock.take(folder, '/out.npy')).rejects.toMatchObject({
      code: 'output-in-use',
      facts: { pid: process.pid },
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});

describe('WorkFolder', () => {
  test('is beside the output, or in EMBEDMILL_DATA_DIR', () => {
    expect(new WorkFolder('/data/out.npy', {}).path).toBe('/data/out.npy.partial');
    const chosen = (output: string) => new WorkFolder(output, { EMBEDMILL_DATA_DIR: '/mill' }).path;
    expect(chosen('/data/out.npy')).toMatch(/^\/mill\/embed\/[0-9a-f]{64}$/);
    expect(chosen('/data/out.npy')).not.toBe(chosen('/data/other.npy'));
  });

  test('keeps a note, and ignores an unrecognized file', async () => {
    const folder = new WorkFolder(join(temporaryFolder(), 'out.npy'), {});
    await folder.create();
    expect(await folder.readNote()).toBeNull();
    const choices = {
      format: 'jsonl',
      text: 'text',
      id: 'id',
      delimiter: null,
      quote: null,
      header: null,
      charset: null,
      query: null,
      limit: null,
      precision: 'int8',
      truncate: 'end',
      clean: null,
      long: null,
      prompt: null,
      glossary: null,
      model: null,
      server: null,
    };
    const job = {
      version: 1,
      run: 'r1',
      input: null,
      choices,
      overwrite: false,
      createdAt: '2026-01-01T00:00:00Z',
    } as const;
    await folder.writeNote(job);
    expect(await folder.readNote()).toEqual(job);
    writeFileSync(join(folder.path, 'job.json'), '{"version":');
    expect(await folder.readNote()).toBeNull();
    await folder.clear();
    expect(existsSync(join(folder.path, 'job.json'))).toBe(false);
  });
});
