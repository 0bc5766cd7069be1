/** Creating a file that must not exist yet, on disks with and without hard links. */

import fs from 'node:fs/promises';
import { join } from 'node:path';
import { createExclusive } from '@embedmill/core/process';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { refuseLinks } from '../../support/refuse-links.ts';

test.each([null, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'])(
  'of many at once, one creates it (links refused: %s)',
  async (code) => {
    if (code !== null) refuseLinks(code);
    const folder = temporaryFolder();
    const path = join(folder, 'lock');
    const contents = Array.from({ length: 20 }, (_, n) => `number ${n}`);
    const created = await Promise.all(contents.map((content) => createExclusive(path, content)));
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(await fs.readFile(path, 'utf8')).toBe(contents[created.indexOf(true)]);
    expect(await fs.readdir(folder)).toEqual(['lock']);
    expect((await fs.stat(path)).mode & 0o777).toBe(0o600);
  },
);

test('other errors pass through, and leave nothing behind', async () => {
  refuseLinks('EIO');
  const folder = temporaryFolder();
  await expect(createExclusive(join(folder, 'lock'), 'x')).rejects.toMatchObject({ code: 'EIO' });
  expect(await fs.readdir(folder)).toEqual([]);
});
