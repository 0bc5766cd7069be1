/** Tests lists of API keys: syntax, and error messages without secrets. */

import { createHash } from 'node:crypto';
import { readConfig, readKeyList } from '@embedmill/core/process';
import { describe, expect, it } from 'vitest';

const SECRET = 'correct-horse-battery';

describe('a list of API keys', () => {
  it('has names, roles and hashes of the secrets, separated by commas or lines', () => {
    const read = readKeyList(
      `# the pipelines\nnightly:submit:${SECRET},\n\n  grafana:read:0123456789abcdef , ops:admin:a:secret:with:colons\n`,
    );
    if (!read.ok) throw new Error(read.problem);
    expect(read.keys.map(({ name, role }) => [name, role])).toEqual([
      ['nightly', 'submit'],
      ['grafana', 'read'],
      ['ops', 'admin'],
    ]);
    expect(read.keys[0]?.sha256).toEqual(createHash('sha256').update(SECRET).digest());
    expect(read.keys[2]?.sha256).toEqual(createHash('sha256').update('a:secret:with:colons').digest());
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });

  it.each([
    ['', /no key/],
    ['# only a comment', /no key/],
    [SECRET, /entry 1 is not/],
    [`ops:${SECRET}`, /entry 1 is not/],
    [`a:read:0123456789abcdef,ops:root:${SECRET}`, /entry 2 is not/],
    ['ops:admin:short', /16 to 256/],
    [`two words:read:${SECRET}`, /entry 1/],
    [`ops:read:${SECRET},ops:admin:another-long-secret`, /the name ops is used twice/],
  ])('is refused as a whole when an entry cannot be used: %j', (list, problem) => {
    const read = readKeyList(list);
    expect(read).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });
});

describe('settings with secrets', () => {
  it.each(['EMBEDMILL_API_KEYS', 'EMBEDMILL_API_KEY'])('never appear in an error: %s', (name) => {
    const read = () => readConfig({ [name]: `hunter2 hunter2:${SECRET}` });
    expect(read).toThrow(new RegExp(`${name}: expected`));
    expect(read).not.toThrow(/hunter2|correct-horse/);
  });

  it('contain hashes instead of the keys of clients', () => {
    const config = readConfig({ EMBEDMILL_API_KEYS: `ops:admin:${SECRET}` });
    expect(config.apiKeys).toHaveLength(1);
    expect(JSON.stringify(config)).not.toContain(SECRET);
  });
});

describe('CORS origins', () => {
  it.each([
    'https://app.example.com/',
    'app.example.com',
    'https://a.example,,',
    'null',
    'https://*',
    'app://a/b',
    'app:a',
  ])('are refused when no browser would send them: %s', (given) => {
    expect(() => readConfig({ EMBEDMILL_CORS_ORIGINS: given })).toThrow(/EMBEDMILL_CORS_ORIGINS: expected/);
  });

  it('are a list', () => {
    const { corsOrigins } = readConfig({
      EMBEDMILL_CORS_ORIGINS: 'https://a.example, http://localhost:5173',
    });
    expect(corsOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
    const others = ['app://obsidian.md', 'tauri://localhost', 'chrome-extension://*', 'file://'];
    expect(readConfig({ EMBEDMILL_CORS_ORIGINS: others.join(', ') }).corsOrigins).toEqual(others);
  });
});
