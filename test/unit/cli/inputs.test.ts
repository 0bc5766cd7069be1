/**
 * How input files are read: each kind of file that people have gives its rows, or one proposal that does. A
 * proposal is followed here, and must read the file.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type PlanChoices, planInput } from '@embedmill/core/formats';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { flagsFor } from '../../../apps/cli/src/io/texts/choices.ts';
import { openTextInput } from '../../../apps/cli/src/io/texts/input.ts';
import { locateInput } from '../../../apps/cli/src/io/texts/locate.ts';
import { temporaryFolder } from '../../support/folder.ts';

type Contents = string | Uint8Array;

/** A row as a test writes it: id and text, or the code of a bad row. */
type Brief = [id: string | null, text: string] | string;

const signal = new AbortController().signal;

async function readPaths(
  paths: string[],
  choices: PlanChoices,
  stdin: Readable = Readable.from([]),
): Promise<Brief[]> {
  const request = { input: locateInput(paths), choices };
  const { rows } = await openTextInput(request, { stdin, environment: {}, signal, maxRowBytes: 1024 * 1024 });
  const read: Brief[] = [];
  for await (const slice of rows) {
    for (const row of slice) read.push(row.ok ? [row.id, row.text] : `!${row.code}`);
  }
  return read;
}

function read(name: string, contents: Contents, choices: PlanChoices = {}): Promise<Brief[]> {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, contents);
  return readPaths([path], choices);
}

const fits: Brief = ['1', 'Fits well.'];
const small: Brief = ['2', 'Too small, sadly.'];
const jsonLines = '{"id":1,"text":"Fits well."}\n{"id":2,"text":"Too small, sadly."}\n';
const csv = 'id,text\n1,Fits well.\n2,"Too small, sadly."\n';

describe('as it is', () => {
  const german = 'id;text\n1;Größe passt.\n2;Zu klein für mich.\n';
  test.each<[string, string, Contents, Brief[]]>([
    ['CSV whose lines end with CR', 'in.csv', csv.replaceAll('\n', '\r'), [fits, small]],
    [
      'CSV of an old Excel for Mac, with LF in a cell',
      'in.csv',
      'id,text\r1,"a\nb"\r2,c\r3,d\r',
      [
        ['1', 'a\nb'],
        ['2', 'c'],
        ['3', 'd'],
      ],
    ],
    ['JSON lines that end with CR', 'in.jsonl', jsonLines.replaceAll('\n', '\r'), [fits, small]],
    [
      'text whose lines end with CR',
      'in.txt',
      'one\rtwo\rthree',
      [
        [null, 'one'],
        [null, 'two'],
        [null, 'three'],
      ],
    ],
    [
      'CR inside lines that end with CRLF',
      'in.csv',
      'id,text\r\n1,"a\rb"\r\n2,c\r\n',
      [
        ['1', 'a\rb'],
        ['2', 'c'],
      ],
    ],
    [
      'semicolons, a mark and CRLF',
      'in.csv',
      '\ufeffid;text;price\r\n1;Fits well.;9,95\r\n2;"Too small, sadly.";3,50\r\n',
      [fits, small],
    ],
    [
      'semicolons with commas in every text',
      'in.csv',
      'id;text\n1;a, b\n2;c, d\n3;e, f\n',
      [
        ['1', 'a, b'],
        ['2', 'c, d'],
        ['3', 'e, f'],
      ],
    ],
    ['pipes', 'in.csv', csv.replaceAll(/(?<=^\w+),/gm, '|'), [fits, small]],
    ['tabs under the name .csv', 'in.csv', csv.replaceAll(/(?<=^\w+),/gm, '\t'), [fits, small]],
    ['commas under the name .tsv', 'in.tsv', csv, [fits, small]],
    [
      'the delimiter line of Excel',
      'in.csv',
      `sep=;\r\nid;text\r\n1;Fits well.\r\n2;Too small, sadly.\r\n`,
      [fits, small],
    ],
    ['single quotes', 'in.csv', "id,text\n1,Fits well.\n2,'Too small, sadly.'\n", [fits, small]],
    [
      'a column of prose without quotes',
      'in.csv',
      'text\nFits, well.\nToo small; sadly.\nFine\n',
      [
        [null, 'Fits, well.'],
        [null, 'Too small; sadly.'],
        [null, 'Fine'],
      ],
    ],
    [
      'TSV with quotes in texts',
      'in.tsv',
      'id\ttext\n1\tok\n2\t"best ever\n3\tscreen is 15"\n4\t"Great," he said\n',
      [
        ['1', 'ok'],
        ['2', '"best ever'],
        ['3', 'screen is 15"'],
        ['4', '"Great," he said'],
      ],
    ],
    [
      'TSV with a quotation',
      'in.tsv',
      'id\ttext\n1\t"wow"\n2\tok\n',
      [
        ['1', '"wow"'],
        ['2', 'ok'],
      ],
    ],
    [
      'TSV that pandas quoted',
      'in.tsv',
      'id\ttext\n1\t"a\tb"\n2\t"said ""wow"""\n3\tc\n',
      [
        ['1', 'a\tb'],
        ['2', 'said "wow"'],
        ['3', 'c'],
      ],
    ],
    [
      'TSV with all texts quoted',
      'in.tsv',
      'id\ttext\n1\t"Fits well."\n2\t"Too small, sadly."\n',
      [fits, small],
    ],
    ['trailing empty fields', 'in.csv', 'id,text\n1,Fits well.,\n2,"Too small, sadly.",,\n', [fits, small]],
    [
      'a header with trailing empty names',
      'in.csv',
      'id,text,,\n1,Fits well.\n2,"Too small, sadly.",,\n',
      [fits, small],
    ],
    [
      'an index column without a name',
      'in.csv',
      ',id,text\n0,1,Fits well.\n1,2,"Too small, sadly."\n',
      [fits, small],
    ],
    ['blanks around the names', 'in.csv', 'id, text\n1,Fits well.\n2,"Too small, sadly."\n', [fits, small]],
    [
      'one bad record among good ones',
      'in.csv',
      `${csv}3,a,b,c\n4,ok\n`,
      [fits, small, '!wrong-columns', ['4', 'ok']],
    ],
    [
      'UTF-16 with a mark',
      'in.jsonl',
      Buffer.from(`\ufeff${jsonLines.replaceAll('\n', '\r\n')}`, 'utf16le'),
      [fits, small],
    ],
    ['UTF-16 without a mark', 'in.csv', Buffer.from(csv, 'utf16le'), [fits, small]],
    [
      'UTF-16, big-endian',
      'in.tsv',
      iconv.encode('id\ttext\n1\tFits well.\n2\t日本語のテキスト\n', 'utf-16be', { addBOM: true }),
      [fits, ['2', '日本語のテキスト']],
    ],
    [
      'UTF-16 as Excel saves "Unicode text"',
      'in.txt',
      iconv.encode('one\r\ntwo\r\n', 'utf-16le', { addBOM: true }),
      [
        [null, 'one'],
        [null, 'two'],
      ],
    ],
    [
      'a JSON array',
      'in.json',
      '[\n{"id":"1","text":"Fits well."},\n{"id":"2","text":"Too small, sadly."}\n]\n',
      [fits, small],
    ],
    [
      'a JSON array in one line',
      'in.json',
      '[{"id":1,"text":"Fits well."},{"id":2,"text":"Too small, sadly."}]',
      [fits, small],
    ],
    [
      'a JSON array with indentation',
      'in.json',
      JSON.stringify(
        [
          { id: 1, text: 'Fits well.' },
          { id: 2, text: 'Too small, sadly.' },
        ],
        null,
        2,
      ),
      [fits, small],
    ],
    [
      'a JSON array under the name .jsonl',
      'in.jsonl',
      '[\n{"id":1,"text":"Fits well."},\n{"id":2,"text":"Too small, sadly."}\n]\n',
      [fits, small],
    ],
    ['JSON lines under the name .json', 'in.json', jsonLines, [fits, small]],
    [
      'indented objects one after another',
      'in.json',
      `${JSON.stringify({ id: 1, text: 'Fits well.' }, null, 2)}\n${JSON.stringify({ id: 2, text: 'Too small, sadly.' }, null, 2)}\n`,
      [fits, small],
    ],
    [
      'brackets and escapes in texts of an array',
      'in.json',
      '[{"id":"1","text":"a ] \\" } ["},{"id":"2","text":"\\\\"}]',
      [
        ['1', 'a ] " } ['],
        ['2', '\\'],
      ],
    ],
    ['an empty array', 'in.json', '[]', []],
    [
      'NaN and Infinity beside the text',
      'in.jsonl',
      '{"id":"a","text":"NaN is not a word","s":NaN}\n{"id":"b","text":NaN}\n{"id":"c","text":"ok","s":[-Infinity,Infinity]}\n',
      [['a', 'NaN is not a word'], '!missing-text', ['c', 'ok']],
    ],
    [
      'NaN in an array of objects',
      'in.json',
      '[{"id":"a","text":"ok","s":NaN},{"id":"b","text":"fine","s":1}]',
      [
        ['a', 'ok'],
        ['b', 'fine'],
      ],
    ],
    [
      'lone surrogates',
      'in.jsonl',
      '{"id":"a\\udc00","text":"bad \\ud83d end"}\n{"id":"b","text":"good \\ud83d\\ude00"}\n',
      [
        ['a\ufffd', 'bad \ufffd end'],
        ['b', 'good 😀'],
      ],
    ],
    [
      'a first record larger than the sample',
      'in.jsonl',
      `{"html":"${'x'.repeat(700_000)}","id":"1","text":"Fits well."}\n{"id":"2","text":"Too small, sadly."}\n`,
      [fits, small],
    ],
    [
      'a first record of CSV larger than the sample',
      'in.csv',
      `id,text,html\n1,Fits well.,"${'x,\n'.repeat(200_000)}"\n2,"Too small, sadly.",\n`,
      [fits, small],
    ],
    [
      'a first record of UTF-16 larger than the sample',
      'in.jsonl',
      Buffer.from(`{"html":"${'x'.repeat(400_000)}","id":"1","text":"Fits well."}\n`, 'utf16le'),
      [fits],
    ],
    [
      'a first element larger than the sample',
      'in.json',
      `[{"html":"${'x'.repeat(700_000)}","id":"1","text":"Fits well."},{"id":"2","text":"Too small, sadly."}]`,
      [fits, small],
    ],
    ['a header alone', 'in.csv', 'id,text\n', []],
    ['no lines of JSON', 'in.jsonl', '', []],
    ['gzip under a plain name', 'in.jsonl', gzipSync(jsonLines), [fits, small]],
    ['a plain file under the name .gz', 'in.csv.gz', csv, [fits, small]],
    ['JSON lines without a telling name', 'export', jsonLines, [fits, small]],
    ['CSV without a telling name', 'part-00000', csv, [fits, small]],
    ['JSON lines under the name .csv', 'in.csv', jsonLines, [fits, small]],
    [
      'JSON lines after a note of a tool',
      'in.jsonl',
      `Loading …\n${jsonLines}`,
      ['!invalid-json', fits, small],
    ],
    [
      'LF lines with CR inside',
      'in.txt',
      'a\rb\rc\rd\nsecond\n',
      [
        [null, 'a\rb\rc\rd'],
        [null, 'second'],
      ],
    ],
    ['a dot in a key', 'in.jsonl', '{"id":1,"text":"Fits well.","a.b":1}\n', [fits]],
  ])('%s', async (_, name, contents, rows) => {
    expect(await read(name, contents)).toEqual(rows);
  });

  test('semicolons in a CSV with umlauts', async () => {
    expect(await read('in.csv', german)).toEqual([
      ['1', 'Größe passt.'],
      ['2', 'Zu klein für mich.'],
    ]);
  });
});

describe('as chosen', () => {
  test.each<[string, string, Contents, PlanChoices, Brief[]]>([
    [
      'a path in JSON',
      'in.jsonl',
      '{"review":{"id":16105216041436938,"text":"Fits well."}}\n',
      { textField: 'review.text', idField: 'review.id' },
      [['16105216041436938', 'Fits well.']],
    ],
    [
      'a path into a list',
      'in.json',
      '[{"id":1,"of":[{"text":"Fits well."}]}]',
      { textField: 'of.0.text' },
      [fits],
    ],
    [
      'a key with a dot before a path',
      'in.jsonl',
      '{"id":1,"a.b":"Fits well.","a":{"b":"no"}}\n',
      { textField: 'a.b' },
      [fits],
    ],
    [
      'no header',
      'in.csv',
      '1,Fits well.\n2,"Too small, sadly."\n',
      { header: false, textField: 'column1', idField: 'column0' },
      [fits, small],
    ],
    [
      'no header in one column',
      'in.csv',
      '"Fits well."\n"Too small, sadly."\n',
      { header: false },
      [
        [null, 'Fits well.'],
        [null, 'Too small, sadly.'],
      ],
    ],
    [
      'a header that looks like a record',
      'in.csv',
      '1,2\n1,Fits well.\n',
      { header: true, textField: '2', idField: '1' },
      [fits],
    ],
    ['a delimiter', 'in.csv', 'id^text\n1^Fits well.\n', { delimiter: '^' }, [fits]],
    ['a quote', 'in.csv', 'id,text\n1,~Fits, well.~\n', { quote: '~' }, [['1', 'Fits, well.']]],
    [
      'no quote',
      'in.csv',
      'id,text\n1,"wow\n2,"a"\n',
      { quote: null },
      [
        ['1', '"wow'],
        ['2', '"a"'],
      ],
    ],
    ['quotes in TSV', 'in.tsv', 'id\ttext\n1\t"wow"\n', { quote: '"' }, [['1', 'wow']]],
    [
      'Windows-1252',
      'in.csv',
      iconv.encode('id,text\n1,Größe – 5 €\n', 'windows-1252'),
      { charset: 'latin1' },
      [['1', 'Größe – 5 €']],
    ],
    [
      'Windows-1251',
      'in.csv',
      iconv.encode('id,text\n1,Подходит\n', 'windows-1251'),
      { charset: 'windows-1251' },
      [['1', 'Подходит']],
    ],
    [
      'GB18030',
      'in.jsonl',
      iconv.encode('{"id":1,"text":"质量很好"}\n', 'gb18030'),
      { charset: 'gbk' },
      [['1', '质量很好']],
    ],
    [
      'Shift_JIS, whose second bytes may be | or \\',
      'in.csv',
      iconv.encode('id|text\n1|ソポ表\n', 'shift_jis'),
      { charset: 'Shift_JIS', delimiter: '|' },
      [['1', 'ソポ表']],
    ],
    [
      'bytes that a charset does not define',
      'in.csv',
      Buffer.from('id,text\n1,a\x81b\n2,ok\n', 'latin1'),
      { charset: 'windows-1252' },
      ['!invalid-utf8', ['2', 'ok']],
    ],
    [
      'UTF-8 with a bad row',
      'in.csv',
      Buffer.from('id,text\n1,a\xe9b\n2,ok\n', 'latin1'),
      { charset: 'utf-8' },
      ['!invalid-utf8', ['2', 'ok']],
    ],
    ['a delimiter beside JSON lines', 'in.jsonl', jsonLines, { delimiter: ';' }, [fits, small]],
    ['a format against the name', 'in.txt', jsonLines, { format: 'jsonl' }, [fits, small]],
    ['lines of JSON as texts', 'in.jsonl', '{"a":1}\n', { format: 'txt' }, [[null, '{"a":1}']]],
  ])('%s', async (_, name, contents, choices, rows) => {
    expect(await read(name, contents, choices)).toEqual(rows);
  });
});

describe('one proposal', () => {
  const names =
    'id,stars,body,title\n1,5,Fits well and looks good.,Good buy\n2,1,Too small and sadly thin.,Bad buy\n';
  test.each<[string, string, Contents, PlanChoices, PlanChoices | null, number]>([
    ['a column with other case', 'in.csv', 'ID,Text\n1,Fits well.\n', {}, { textField: 'Text' }, 1],
    ['the longest prose', 'in.csv', names, {}, { textField: 'body' }, 2],
    [
      'prose without a usual name',
      'in.csv',
      'sku,x1,x2\nA-17,red,Fits well and looks good.\n',
      {},
      { textField: 'x2' },
      1,
    ],
    ['a short column with a usual name', 'in.csv', 'sku,body\n1,Fits.\n', {}, { textField: 'body' }, 1],
    [
      'a path',
      'in.jsonl',
      '{"id":1,"review":{"stars":5,"body":"Fits well and looks good."}}\n',
      {},
      { textField: 'review.body' },
      1,
    ],
    [
      'one of two columns with the same name',
      'in.csv',
      'id,text,text\n1,x,Fits well.\n2,y,Too small.\n',
      {},
      { textField: 'text_2' },
      2,
    ],
    ['an id with other case', 'in.csv', 'ID,text\n1,Fits well.\n', { idField: 'id' }, { idField: 'ID' }, 1],
    [
      'no header',
      'in.csv',
      '1,5,Fits well and looks good.\n2,1,Too small and sadly thin.\n',
      {},
      { header: false, textField: 'column2' },
      2,
    ],
    [
      'no header in one column',
      'in.csv',
      'Fits well and looks good.\nToo small and sadly thin.\n',
      {},
      { header: false },
      2,
    ],
    [
      'prose under a question',
      'in.csv',
      'Timestamp,What did you like most?\n2026-01-02 10:00,The colour of the towels.\n',
      {},
      { textField: 'What did you like most?' },
      1,
    ],
    [
      'a charset of western Europe',
      'in.csv',
      iconv.encode('id,text\n1,Fits well.\n2,Grüße aus Köln\n3,Café crème\n', 'latin1'),
      {},
      { charset: 'windows-1252' },
      3,
    ],
    [
      'a charset of Chinese',
      'in.jsonl',
      iconv.encode(
        '{"id":1,"text":"这个商品的质量很好，我非常喜欢。"}\n{"id":2,"text":"尺寸太小了，不能穿。"}\n',
        'gb18030',
      ),
      {},
      { charset: 'gb18030' },
      2,
    ],
    [
      'a charset of Japanese',
      'in.txt',
      iconv.encode('この商品はとても良いです。\nサイズが小さすぎました。\n', 'shift_jis'),
      {},
      { charset: 'shift_jis' },
      2,
    ],
    [
      'a charset of Russian',
      'in.txt',
      iconv.encode('Хороший товар, подходит по размеру.\nСлишком маленький и тонкий.\n', 'windows-1251'),
      {},
      { charset: 'windows-1251' },
      2,
    ],
    ['CSV under the name .jsonl', 'in.jsonl', csv, {}, { format: 'csv' }, 2],
    ['texts without a telling name', 'notes', 'One line.\nAnother one.\n', {}, { format: 'txt' }, 2],
    [
      'no column of text: none',
      'in.csv',
      'id,price,sold\n1,9.95,2026-01-02\n2,3.50,2026-01-03\n',
      {},
      null,
      0,
    ],
    [
      'ids and links: none',
      'in.csv',
      'product_id,image_url\nA17 red shoe,https://a.example/x\nB18 blue shoe,https://a.example/y\n',
      {},
      null,
      0,
    ],
    ['columns of delimiters: none', 'in.csv', 'a,b\n;;;,|||\n;;,||\n', {}, null, 0],
    ['an array inside an object: none', 'in.json', '{"data":[{"id":1,"text":"Fits well."}]}', {}, null, 0],
    ['arrays of arrays: none', 'in.json', '[["1","Fits well."],["2","Too small."]]', {}, null, 0],
    ['a cut array: none', 'in.json', '[{"id":1,"text":"Fits well."},{"id":2,"te', {}, null, 0],
    ['an empty table: none', 'in.csv', '', {}, null, 0],
    ['a workbook: none', 'in.csv', Buffer.from('504b030414000600', 'hex'), {}, null, 0],
    ['zero bytes: none', 'in.txt', Buffer.from([1, 0, 0, 2, 0, 3, 65, 0, 0, 0, 66, 10]), {}, null, 0],
    ['texts that are all numbers: none', 'in.jsonl', '{"text":1}\n{"text":2}\n', {}, null, 0],
    ['records wider than the header: none', 'in.csv', 'text\nFits well.,5\nToo small.,1\n', {}, null, 0],
    [
      'records much larger than allowed: none',
      'in.jsonl',
      `{"text":"${'x'.repeat(3 * 1024 * 1024)}"}\n`.repeat(2),
      {},
      null,
      0,
    ],
    [
      'a charset, a header and a column at once',
      'in.csv',
      iconv.encode('1;Größe passt sehr gut.\n2;Zu klein für mich.\n', 'latin1'),
      {},
      { charset: 'windows-1252', header: false, textField: 'column1' },
      2,
    ],
    [
      'a format, no header and a column at once',
      'part-00000',
      '1,Fits well and looks good.\n2,Too small and sadly thin.\n',
      {},
      { format: 'csv', header: false, textField: 'column1' },
      2,
    ],
    ['a header that is cut in a quote: none', 'in.csv', 'id,"text\n1,Fits well.\n', {}, null, 0],
    [
      'a charset, but no column of text: none',
      'in.csv',
      Buffer.from('id,caf\xe9\n1,7\n2,8\n', 'latin1'),
      {},
      null,
      0,
    ],
    ['a column of plain text: none', 'in.txt', 'one\n', { textField: 'body' }, null, 0],
  ])('%s', async (_, name, contents, choices, fix, count) => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, contents);
    const planned = await planInput(name, Readable.from([Buffer.from(contents)]), choices);
    expect(planned.plan.problem).toMatchObject({ fix });
    const proposal =
      fix === null
        ? expect.not.stringContaining('; add --')
        : expect.stringContaining(`; add ${flagsFor(fix)}`);
    await expect(readPaths([path], choices)).rejects.toMatchObject({ code: 'usage', message: proposal });
    if (fix === null) return;
    const rows = await readPaths([path], { ...choices, ...fix });
    expect(rows).toHaveLength(count);
    expect(rows.every((row) => typeof row !== 'string' && row[1] !== '')).toBe(true);
  });
});

describe('several files', () => {
  const folder = (files: Record<string, Contents>) => {
    const path = temporaryFolder();
    for (const [name, contents] of Object.entries(files)) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), contents);
    }
    return path;
  };
  const shards = {
    'part-2.csv': 'id;text\n3;c\n',
    'part-1.jsonl.gz': gzipSync('{"id":2,"text":"b"}\n'),
    'a/part-9.tsv': 'id\ttext\n1\ta\n',
    'empty.csv': '',
    _SUCCESS: '',
    '.part-0.csv.crc': 'x',
    'README.md': '# no data',
  };

  test('of a folder are one input, ordered by their paths, each read its own way', async () => {
    expect(await readPaths([folder(shards)], {})).toEqual([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
  });

  test('of a glob too; named ones keep their order', async () => {
    const path = folder(shards);
    expect(await readPaths([join(path, 'part-*')], {})).toEqual([
      ['2', 'b'],
      ['3', 'c'],
    ]);
    const named = [join(path, 'part-2.csv'), join(path, 'a/part-9.tsv')];
    expect(await readPaths(named, {})).toEqual([
      ['3', 'c'],
      ['1', 'a'],
    ]);
  });

  test('are refused as a whole if one cannot be read, with its name', async () => {
    const path = folder({ 'a.csv': 'id,text\n1,a\n', 'b.csv': 'id,body\n2,Fits well.\n' });
    await expect(readPaths([path], {})).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/b\.csv.*no column "text".*add --text body/),
    });
  });

  test('name the file of a bad row', async () => {
    const path = folder({ 'a.csv': 'id,text\n1,a\n', 'b.csv': 'id,text\n2,b,c\n3,d\n' });
    const { rows } = await openTextInput(
      { input: locateInput([path]), choices: {} },
      { stdin: Readable.from([]), environment: {}, signal, maxRowBytes: 1000 },
    );
    const messages: string[] = [];
    for await (const slice of rows) for (const row of slice) if (!row.ok) messages.push(row.message);
    expect(messages).toEqual([expect.stringMatching(/b\.csv: the record has 3 columns/)]);
  });

  test.each([
    [['gone.csv'], 'there is no input file "gone.csv"'],
    [['gone-*.csv'], 'there is no input file "gone-*.csv"'],
    [['-', '-'], 'stdin cannot be combined'],
  ])('%j are refused', (paths, message) => {
    expect(() => locateInput(paths)).toThrow(message);
  });

  test('a folder without any is refused', () => {
    expect(() => locateInput([folder({ 'README.md': '' })])).toThrow('has no input files');
  });
});

describe('streams', () => {
  test('stdin needs no format if its content shows it', async () => {
    expect(await readPaths(['-'], {}, Readable.from([Buffer.from(csv)]))).toEqual([fits, small]);
  });

  test('a named pipe is read once', async () => {
    const path = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const written = writeFile(path, gzipSync(jsonLines));
    expect(await readPaths([path], {})).toEqual([fits, small]);
    await written;
  });
});
