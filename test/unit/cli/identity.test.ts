/** Whether an earlier attempt may be resumed. */

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeDifferences, type RowChoices } from '../../../apps/cli/src/commands/embed/identity.ts';
import { identifyFile } from '../../../apps/cli/src/io/sources/file.ts';
import { combineIdentities } from '../../../apps/cli/src/io/sources/identity.ts';
import { temporaryFolder } from '../../support/folder.ts';

const MIB = 1024 * 1024;

describe('identifyFile', () => {
  test('is equal for equal contents at another path', async () => {
    const folder = temporaryFolder();
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), 'one\ntwo\n');
    expect(await identifyFile(join(folder, 'a'))).toEqual(await identifyFile(join(folder, 'b')));
    expect(await identifyFile(join(folder, 'a'))).toEqual({
      bytes: 8,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test.each([
    ['its first byte', 0],
    ['the last byte of the first MiB', MIB - 1],
    ['its last byte', 3 * MIB - 1],
    ['the first byte of the last MiB', 2 * MIB],
  ])('changes with %s', async (_, at) => {
    const path = join(temporaryFolder(), 'in');
    const bytes = Buffer.alloc(3 * MIB, 'a');
    writeFileSync(path, bytes);
    const before = await identifyFile(path);
    bytes[at] = 0x62;
    writeFileSync(path, bytes);
    expect((await identifyFile(path)).sha256).not.toBe(before.sha256);
  });

  test.each([1, MIB, MIB + 1, 2 * MIB])('changes with the length, also from %i bytes', async (size) => {
    const path = join(temporaryFolder(), 'in');
    writeFileSync(path, Buffer.alloc(size, 'a'));
    const before = await identifyFile(path);
    truncateSync(path, size - 1);
    expect(await identifyFile(path)).not.toEqual(before);
  });
});

describe('the identity of several files', () => {
  const identifyFiles = async (paths: readonly string[]) =>
    combineIdentities(await Promise.all(paths.map(identifyFile)));

  const write = (files: Record<string, string>) => {
    const folder = temporaryFolder();
    return Object.entries(files).map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    });
  };

  test('of one file is that file, so that earlier notes stay valid', async () => {
    const [path] = write({ a: 'one\n' });
    expect(await identifyFiles([path!])).toEqual(await identifyFile(path!));
  });

  test('changes with the order of the files and where they are cut, not with their names', async () => {
    const before = await identifyFiles(write({ a: 'one\n', b: 'two\n' }));
    expect(await identifyFiles(write({ x: 'one\n', y: 'two\n' }))).toEqual(before);
    expect(await identifyFiles(write({ a: 'two\n', b: 'one\n' }))).not.toEqual(before);
    expect(await identifyFiles(write({ a: 'one\ntwo\n' }))).not.toEqual(before);
    expect(await identifyFiles(write({ a: 'one\n', b: 'two\n', c: '' }))).not.toEqual(before);
  });
});

describe('describeDifferences', () => {
  const choices: RowChoices = {
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
  const input = { bytes: 10, sha256: 'a' };

  test('treats a note of an earlier version, without options that came later, as one without them', () => {
    const { clean, long, prompt, glossary, delimiter, quote, header, charset, query, ...old } = choices;
    const before = { input, choices: old as RowChoices };
    expect(describeDifferences(before, { input, choices })).toEqual([]);
    expect(describeDifferences(before, { input, choices: { ...choices, clean: 'html' } })).toEqual([
      '--clean was not given, now it is html',
    ]);
  });

  test('finds none between equal requests, also from stdin', () => {
    expect(describeDifferences({ input, choices }, { input, choices })).toEqual([]);
    expect(describeDifferences({ input: null, choices }, { input: null, choices })).toEqual([]);
  });

  test.each([
    [{ input: { bytes: 11, sha256: 'a' }, choices }, 'the input had 10 bytes, now it has 11'],
    [{ input: { bytes: 10, sha256: 'b' }, choices }, 'the contents of the input have changed'],
    [{ input: null, choices }, 'the input was a file, now it is stdin'],
    [{ input, choices: { ...choices, header: false } }, '--header was not given, now it is false'],
    [{ input, choices: { ...choices, delimiter: ';' } }, '--delimiter was not given, now it is ;'],
    [{ input, choices: { ...choices, query: 'SELECT 1' } }, '--query was not given, now it is SELECT 1'],
    [{ input, choices: { ...choices, limit: 5 } }, '--limit was not given, now it is 5'],
    [{ input, choices: { ...choices, long: 'mean' } }, '--long was not given, now it is mean'],
    [{ input, choices: { ...choices, precision: 'fp32' } }, '--precision was int8, now it is fp32'],
    [
      { input, choices: { ...choices, server: 'http://mill' } },
      '--server was not given, now it is http://mill',
    ],
  ])('describes the difference: %#', (now, words) => {
    expect(describeDifferences({ input, choices }, now)).toEqual([words]);
  });
});
