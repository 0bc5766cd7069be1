/** Journals and row logs after failed appends: nothing follows a torn end, even if it could not be cut off at once. */

import fs, { readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppendedFile } from '../../../packages/core/src/process/disk/appended-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

const fault = (code: string) => Object.assign(new Error(`${code}: refused by the test`), { code });

/** Makes the disk refuse operations of files that are opened from now on, while their name is in the set. */
function refusing(): Set<'datasync' | 'truncate' | 'open'> {
  const refused = new Set<'datasync' | 'truncate' | 'open'>();
  const open = fs.open;
  fs.open = async (...given) => {
    if (refused.has('open')) throw fault('EMFILE');
    const handle = await open(...given);
    for (const name of ['datasync', 'truncate'] as const) {
      const original = handle[name].bind(handle) as () => Promise<void>;
      handle[name] = async (...args: []) => {
        if (refused.has(name)) throw fault('EIO');
        await original(...args);
      };
    }
    return handle;
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.open = open;
    syncBuiltinESMExports();
  });
  return refused;
}

async function startFile(): Promise<{ path: string; file: AppendedFile }> {
  const path = join(temporaryFolder(), 'file');
  await writeFile(path, 'whole\n');
  const file = new AppendedFile(path, { end: 6, isTorn: false }, { assertWritable: () => {} });
  onTestFinished(() => file.close());
  return { path, file };
}

describe('an append that fails', () => {
  test('leaves nothing behind when its bytes can be cut off', async () => {
    const refused = refusing();
    const { path, file } = await startFile();
    refused.add('datasync');
    await expect(file.append(Buffer.from('lost\n'))).rejects.toMatchObject({ code: 'EIO' });
    expect(await readFile(path, 'utf8')).toBe('whole\n');
  });

  test('and cannot be cut off lets no append pass before it is cut off, then is overwritten', async () => {
    const refused = refusing();
    const { path, file } = await startFile();
    refused.add('datasync').add('truncate');
    await expect(file.append(Buffer.from('a longer line that is lost\n'))).rejects.toMatchObject({
      code: 'EIO',
    });
    refused.delete('datasync');
    await expect(file.append(Buffer.from('next\n'))).rejects.toMatchObject({ code: 'EIO' });
    expect(await readFile(path, 'utf8')).toBe('whole\na longer line that is lost\n');
    refused.delete('truncate');
    await file.append(Buffer.from('next\n'));
    expect(await readFile(path, 'utf8')).toBe('whole\nnext\n');
    expect(file.end).toBe(11);
  });

  test('because no file can be opened changes nothing, and the next one succeeds', async () => {
    const refused = refusing();
    const { path, file } = await startFile();
    refused.add('open');
    await expect(file.append(Buffer.from('next\n'))).rejects.toMatchObject({ code: 'EMFILE' });
    refused.delete('open');
    await file.append(Buffer.from('next\n'));
    expect(await readFile(path, 'utf8')).toBe('whole\nnext\n');
  });
});

test('a file whose end was torn by a crash is unchanged until the next append', async () => {
  const path = join(temporaryFolder(), 'file');
  await writeFile(path, 'whole\ntorn');
  const file = new AppendedFile(path, { end: 6, isTorn: true }, { assertWritable: () => {} });
  onTestFinished(() => file.close());
  expect(await readFile(path, 'utf8')).toBe('whole\ntorn');
  await file.append(Buffer.from('a\n'));
  expect(await readFile(path, 'utf8')).toBe('whole\na\n');
});

test('a file that vanished is not created again', async () => {
  const path = join(temporaryFolder(), 'file');
  const file = new AppendedFile(path, { end: 0, isTorn: false }, { assertWritable: () => {} });
  await expect(file.append(Buffer.from('a\n'))).rejects.toMatchObject({ code: 'ENOENT' });
});
