/** CSV files of the command: no cell is a formula for a spreadsheet. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeTable } from '../../../apps/cli/src/io/records/write-table.ts';
import { temporaryFolder } from '../../support/folder.ts';

it('texts that a spreadsheet would run get an apostrophe; numbers and other texts stay as they are', async () => {
  const path = join(temporaryFolder(), 'out.csv');
  const cells = [
    '=cmd|calc!A1',
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '-5',
    '+1.5',
    'a=b',
    "'quoted",
    '',
  ];
  await writeTable(
    path,
    ['id', '=cosine'],
    cells.map((cell) => [cell, -0.5]),
  );
  expect(readFileSync(path, 'utf8')).toBe(
    `id,'=cosine\n'=cmd|calc!A1,-0.5\n'+1+1,-0.5\n'-2+3,-0.5\n'@SUM(A1),-0.5\n'\t=1,-0.5\n"'\r=1",-0.5\n` +
      "-5,-0.5\n+1.5,-0.5\na=b,-0.5\n'quoted,-0.5\n,-0.5\n",
  );
});
