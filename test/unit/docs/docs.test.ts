/** The documentation against the repository: links lead somewhere, and tables list what the code has. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../../apps/producer/src/http/problems.ts';
import { COMPATIBLE_OPERATIONS } from '../../../apps/producer/src/openapi/compatible.ts';
import { OPERATIONS } from '../../../apps/producer/src/openapi/operations.ts';
import { keysOf } from '../../../packages/core/src/redis/keys.ts';

const PAGES = [
  'README.md',
  'packages/client/README.md',
  ...(readdirSync('docs', { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** A page without its code blocks, which may contain what looks like a link or a heading. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links of a page that lead to no file, or to no heading of a file. */
function brokenLinks(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path, anchor] = link.split('#') as [string, string?];
    const target = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

describe('links', () => {
  it.each(PAGES)('of %s lead to files and headings', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('of docs/README.md lead to every page of docs/', () => {
    const index = readFileSync('docs/README.md', 'utf8');
    const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  });
});

describe('docs/api.md', () => {
  it('lists every route', () => {
    const page = readFileSync('docs/api.md', 'utf8');
    // Paths stand alone, behind a method, or in a curl call; the name of a model may contain slashes.
    const listed = [...page.matchAll(/(?:[`"]|[A-Z] |localhost:8080)(\/[\w/:.-]*)/g)].map(([, path]) => path);
    const paths = [...OPERATIONS, ...COMPATIBLE_OPERATIONS].map(({ path }) =>
      path.replace('*name', 'all-minilm'),
    );
    expect(paths.filter((path) => !listed.includes(path))).toEqual([]);
  });

  it('lists every error code with its status', () => {
    const rows = readFileSync('docs/api.md', 'utf8').match(/^\| \d{3} \|.*$/gm) ?? [];
    const listed = rows.flatMap((row) => {
      const [, status, , codes] = row.split('|').map((cell) => cell.trim());
      return [...codes!.matchAll(/`([a-z-]+)`/g)].map(([, code]) => [code, Number(status)]);
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
