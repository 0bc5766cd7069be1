/** Compares the tables of the documentation with the code: routes, error codes, Redis keys. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../../apps/producer/src/http/problems.ts';
import { COMPATIBLE_OPERATIONS } from '../../../apps/producer/src/openapi/compatible-operations.ts';
import { NATIVE_OPERATIONS } from '../../../apps/producer/src/openapi/native-operations.ts';
import { keysOf } from '../../../packages/core/src/redis/keys.ts';

describe('docs/README.md', () => {
  it('links to every page of docs/', () => {
    const index = readFileSync('docs/README.md', 'utf8');
    const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  });
});

describe('docs/api.md', () => {
  it('lists every route', () => {
    const page = readFileSync('docs/api.md', 'utf8');
    // Paths stand alone, behind a method, or in a curl call; the name of a model may contain slashes.
    const listed = [...page.matchAll(/(?:[`"]|[A-Z] |localhost:8080)(\/[\w/:.*-]*)/g)].map(
      ([, path]) => path,
    );
    const paths = [...NATIVE_OPERATIONS, ...COMPATIBLE_OPERATIONS].map(({ path }) =>
      path.replace('*name', 'all-minilm'),
    );
    expect(paths.filter((path) => !listed.includes(path))).toEqual([]);
  });

  it('lists every error code with its status', () => {
    const rows = readFileSync('docs/api.md', 'utf8').match(/^\| \d{3} \|.*$/gm) ?? [];
    const listed = rows.flatMap((row) => {
      const [, status, , codes] = row.split('|').map((cell) => cell.trim());
      return [...codes!.matchAll(/`([a-z\d-]+)`/g)].map(([, code]) => [code, Number(status)]);
    });
    const known = Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]);
    expect(listed.sort()).toEqual(known.sort());
  });
});

describe('docs/architecture.md', () => {
  it('lists every kind of Redis key', () => {
    const page = readFileSync('docs/architecture.md', 'utf8');
    const keys = Object.entries(keysOf('em')).filter(([name]) => name !== 'queuePrefix');
    const kinds = keys.map(([, key]) => (typeof key === 'string' ? key : key('ID', 1)).replace(/:ID.*/, ''));
    const isListed = (kind: string) => [':', '`'].some((end) => page.includes(`\`${kind}${end}`));
    expect(kinds.filter((kind) => !isListed(kind))).toEqual([]);
  });
});
