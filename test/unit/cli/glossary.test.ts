/** Glossary files, valid and invalid. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGlossary } from '../../../apps/cli/src/io/glossary.ts';
import { temporaryFolder } from '../../support/folder.ts';

function file(name: string, contents: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, contents);
  return path;
}

describe('a glossary', () => {
  test.each([
    ['terms.csv', 'term,wording,case\nCTP margin,"margin, for futures",\nIT,computing,exact\n'],
    ['terms.tsv', 'term\twording\tcase\nCTP margin\tmargin, for futures\t\nIT\tcomputing\texact\n'],
    [
      'terms.jsonl',
      '{"term":"CTP margin","wording":"margin, for futures"}\n{"term":"IT","wording":"computing","case":"exact"}\n',
    ],
  ])('is read from %s, in file order', async (name, contents) => {
    expect(await readGlossary(file(name, contents))).toEqual([
      ['CTP margin', 'margin, for futures'],
      ['IT', 'computing', 'exact'],
    ]);
  });

  test('is read from an object of terms and wordings', async () => {
    expect(await readGlossary(file('terms.json', '{"保证金": "deposit", "CTP": ""}'))).toEqual([
      ['保证金', 'deposit'],
      ['CTP', ''],
    ]);
  });

  test.each([
    ['terms.json', '["CTP"]', 'has no JSON objects'],
    ['terms.json', '{"CTP"', 'is not JSON'],
    ['terms.json', '{"CTP": 7}', 'has the term "CTP" and the wording 7; expected two strings'],
    ['terms.csv', 'word,wording\nCTP,x\n', 'has no column "term": the columns are "word", "wording"'],
    ['terms.csv', 'term,wording,case\nCTP,x,never\n', 'has the case "never"; expected exact or any'],
    ['terms.csv', `term,wording\nCTP,${'x'.repeat(201)}\n`, 'is longer than 200 characters'],
    ['terms.txt', 'CTP', 'a txt input has no field "term"'],
  ])('is rejected if invalid: %s %j', async (name, contents, words) => {
    await expect(readGlossary(file(name, contents))).rejects.toThrow(words);
  });
});
