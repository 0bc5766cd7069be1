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

  test('may limit terms to languages', async () => {
    const path = file(
      'terms.csv',
      'term,wording,case,language\nCTP,平台,,zh\nCTP,platform,any,en\nIT,computing,,\n',
    );
    expect(await readGlossary(path)).toEqual([
      ['CTP', '平台', null, 'zh'],
      ['CTP', 'platform', 'any', 'en'],
      ['IT', 'computing'],
    ]);
  });

  test.each([
    ['term,wording\na,b\na,c\n', ['terms.csv:3 repeats the term "a" of ', 'terms.csv:2']],
    ['term,wording\nStop loss,b\n"stop LOSS",c\n', ['terms.csv:3 repeats the term "stop LOSS"']],
    [
      'term,wording,case\n ,b,\nc,d,never\n',
      ['terms.csv:2 has a blank term', 'terms.csv:3 has the case "never"'],
    ],
    ['term,wording\na,b\nb,C\nc,a\n', ['terms.csv:4: the terms form a cycle, "a" → "b" → "c" → "a"']],
    ['term,wording,language\nx,y,english\n', ['terms.csv:2 has the language "english"; expected a tag']],
    [
      'term,wording,language\nGift,present,en\nGift,poison,de\n',
      ['terms.csv:3 has the term "Gift" for "de", and ', 'terms.csv:2 for "en"; both are written in Latin'],
    ],
  ])('reports errors by line: %j', async (contents, expected) => {
    const error = await readGlossary(file('terms.csv', contents)).catch((thrown) => thrown);
    for (const words of expected) expect(error.message).toContain(words);
  });

  test('may have chains, other cases, and terms that are their own wording', async () => {
    const path = file('terms.csv', 'term,wording\na,b\nb,c\nus,US\nd,d\n');
    expect(await readGlossary(path)).toHaveLength(4);
  });

  test('with an error in every line reports ten', async () => {
    const lines = Array.from({ length: 50 }, (_, n) => `term ${n},x,never`);
    const error = await readGlossary(file('terms.csv', `term,wording,case\n${lines.join('\n')}\n`)).catch(
      (e) => e,
    );
    expect(error.message.split('\n')).toHaveLength(11);
  });

  test.each([
    ['terms.json', '["CTP"]', 'has no JSON objects'],
    ['terms.json', '{"CTP"', 'is not JSON'],
    ['terms.json', '{"CTP": 7}', 'has the term "CTP" and the wording 7; expected two strings'],
    ['terms.csv', 'word,wording\nCTP,x\n', 'has no column "term": the columns are "word", "wording"'],
    ['terms.csv', 'term,replacement\nCTP,x\n', 'has no "wording"; its fields are "term", "replacement"'],
    ['terms.csv', 'term,wording,case\nCTP,x,never\n', 'has the case "never"; expected exact or any'],
    ['terms.csv', `term,wording\nCTP,${'x'.repeat(201)}\n`, 'is longer than 200 characters'],
    ['terms.txt', 'CTP', 'a txt input has no field "term"'],
  ])('is rejected if invalid: %s %j', async (name, contents, words) => {
    await expect(readGlossary(file(name, contents))).rejects.toThrow(words);
  });
});
