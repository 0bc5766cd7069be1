/** Tests JSONL: every line is valid or invalid on its own. */
import { describe, expect, test } from 'vitest';
import { brief, firstBad, readAll } from './read.ts';

const jsonl = { format: 'jsonl' } as const;

describe('rows of JSONL', () => {
  test('come with line, id and text, in order', async () => {
    expect(await readAll('{"id":"a","text":"Warm socks."}\n{"text":"No id."}\n', jsonl)).toEqual([
      { ok: true, line: 1, id: 'a', text: 'Warm socks.' },
      { ok: true, line: 2, id: null, text: 'No id.' },
    ]);
  });

  test('may end with CRLF, start with a byte order mark and lack the last line end', async () => {
    const rows = await readAll('\ufeff{"text":"one"}\r\n{"text":"two"}', jsonl);
    expect(brief(rows)).toEqual(['one', 'two']);
  });

  test('skip blank lines but count them', async () => {
    const rows = await readAll('\n \t\r\n{"text":"third"}\n\n', jsonl);
    expect(rows).toEqual([{ ok: true, line: 3, id: null, text: 'third' }]);
  });

  test('may take text and id from other fields, even inherited names', async () => {
    const input = '{"review":"Fine.","constructor":"x"}\n{"review":"Fine."}\n';
    const rows = await readAll(input, { ...jsonl, textField: 'review', idField: 'constructor' });
    expect(rows.map((row) => row.id)).toEqual(['x', null]);
    expect(brief(await readAll('{"a":1}\n', { ...jsonl, textField: 'toString' }))).toEqual(['!missing-text']);
  });

  test('convert numeric ids to text without losing digits', async () => {
    const ids = ['7', '-1', '1.5', '12345678901234567890', '9007199254740993'];
    const rows = await readAll(ids.map((id) => `{"text":"t", "id" : ${id} }\n`).join(''), jsonl);
    expect(rows.map((row) => row.id)).toEqual(ids);
  });

  test('take the digits of the id at its place, not of another key or of a text', async () => {
    const rows = await readAll(
      [
        '{"user":{"id":1610521604143693001},"id":1610521604143693812,"text":"t"}',
        '{"id":1610521604143693813,"text":"\\"id\\": 5, {","of":[{"id":6}]}',
        '{"id":1610521604143693814,"id":1610521604143693815,"text":"t"}',
        '{"\\u0069d":1610521604143693816,"text":"t","n":[[{"a":"]"}],{}]}',
      ].join('\n'),
      jsonl,
    );
    expect(rows.map((row) => row.id?.slice(-3))).toEqual(['812', '813', '815', '816']);
  });

  test('reject a number as id whose digits are not written', async () => {
    expect(brief(await readAll('{"id":1e30,"text":"t"}\n{"id":1e400,"text":"t"}\n', jsonl))).toEqual([
      '!invalid-id',
      '!invalid-id',
    ]);
  });

  test('treat an empty or null id as missing', async () => {
    const rows = await readAll('{"id":"","text":"t"}\n{"id":null,"text":"t"}\n', jsonl);
    expect(rows.map((row) => [row.ok, row.id])).toEqual([
      [true, null],
      [true, null],
    ]);
  });

  test.each([
    ['{"id":1,"text":"cut', 'invalid-json', '{\\"id\\":1,\\"text\\":\\"cut'],
    ['["a","b"]', 'not-an-object', '["a","b"]'],
    ['null', 'not-an-object', 'null'],
    ['{"id":"k","body":"b"}', 'missing-text', '["id","body"]'],
    ['{"text":null}', 'missing-text', 'null'],
    ['{"text":42}', 'text-not-string', '42, a number; expected a string'],
    ['{"text":["a"]}', 'text-not-string', '["a"], a list'],
    ['{"id":true,"text":"t"}', 'invalid-id', 'true; expected a string or a number'],
    ['{"id":{"a":1},"text":"t"}', 'invalid-id', '{"a":1}'],
  ])('give %s the code %s and quote what was given', async (line, code, quoted) => {
    const rows = await readAll(`{"text":"before"}\n${line}\n{"text":"after"}\n`, jsonl);
    expect(brief(rows)).toEqual(['before', `!${code}`, 'after']);
    expect(rows[1]).toMatchObject({ line: 2 });
    expect(firstBad(rows.slice(1)).message).toContain(quoted);
  });

  test('keep the id of a row with an invalid text', async () => {
    expect(firstBad(await readAll('{"id":"k9","text":1}\n', jsonl)).id).toBe('k9');
  });

  test('report the position of the invalid UTF-8 byte, after a real U+FFFD', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"text":"\ufffd'),
      Buffer.from([0xe9]),
      Buffer.from('"}\n{"text":"ok"}'),
    ]);
    const rows = await readAll(bytes, jsonl);
    expect(brief(rows)).toEqual(['!invalid-utf8', 'ok']);
    expect(firstBad(rows).message).toContain('byte 13 of the row (0xe9)');
  });

  test('accept an id of 512 bytes and reject one of 513, measured in UTF-8', async () => {
    const rows = await readAll(
      [`é`.repeat(256), `${'é'.repeat(256)}x`].map((id) => `${JSON.stringify({ id, text: 't' })}\n`).join(''),
      jsonl,
    );
    expect(brief(rows)).toEqual(['t', '!id-too-long']);
    expect(rows[1]).toMatchObject({ id: null, message: expect.stringContaining('513 bytes') });
  });

  test('use the line numbers of the client, but no other field named line', async () => {
    const rows = await readAll(
      '{"line":70,"text":"a"}\n{"line":"x1","text":"b"}\n{"line":0,"text":"c"}\n',
      jsonl,
    );
    expect(rows.map((row) => row.line)).toEqual([70, 2, 3]);
  });

  test('keep the position of a row that the client marks as invalid', async () => {
    const error = { code: 'wrong-columns', message: 'the record has 2 columns' };
    const rows = await readAll(`${JSON.stringify({ id: 'k', line: 9, error })}\n`, jsonl);
    expect(rows).toEqual([{ ok: false, line: 9, id: 'k', ...error, keepsPlace: true }]);
  });

  test('prefer a text over an error field, and require a complete error', async () => {
    const rows = await readAll(
      '{"text":"t","error":{"code":"a","message":"b"}}\n{"error":{"code":"a"}}\n',
      jsonl,
    );
    expect(brief(rows)).toEqual(['t', '!missing-text']);
  });
});
