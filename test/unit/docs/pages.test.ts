/** Checks the documentation: working links, and the form and links of the decisions. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DECISIONS = join(ROOT, 'docs/decisions');

/** The file itself, or all files in a folder except hidden, installed and built ones. */
function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !/^(\..+|node_modules|dist)$/.test(name))
    .flatMap((name) => filesBelow(join(path, name)));
}

/** All Markdown pages of the repository. */
const pages = filesBelow(ROOT).filter((path) => path.endsWith('.md') && !path.includes('/fixtures/'));
const decisions = readdirSync(DECISIONS).filter((name) => /^\d{4}-/.test(name));

/** A page without code, where brackets are not links. */
function readProse(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```|`[^`\n]+`/gm, '');
}

/** The heading anchors of a page, in GitHub's form. */
function anchorsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8')
    .replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documentation', () => {
  test('has no broken link', () => {
    const broken = pages.flatMap((page) =>
      [...readProse(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const file = path === '' ? page : join(dirname(page), path);
          if (!existsSync(file)) return true;
          return anchor !== undefined && !anchorsOf(file).includes(anchor);
        })
        .map((target) => `${relative(ROOT, page)}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('names only files and folders that exist', () => {
    const missing = pages.flatMap((page) =>
      [
        ...readFileSync(page, 'utf8').matchAll(
          /`((?:apps|bench|docs|infra|packages|scripts|test)\/[\w./-]+)`/g,
        ),
      ]
        .map(([, path]) => path ?? '')
        // Settings belong to the reader, and a test may be named without its extension.
        .filter((path) => !path.endsWith('.env'))
        .filter((path) => !['', '.test.ts'].some((ending) => existsSync(join(ROOT, path + ending))))
        .map((path) => `${relative(ROOT, page)}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('every decision', () => {
  test.each(decisions)('%s has its number, a status and a date', (name) => {
    const page = readFileSync(join(DECISIONS, name), 'utf8');
    expect(page).toMatch(new RegExp(`^# ${name.slice(0, 4)}: .+\n`));
    expect(page).toMatch(/\nStatus: (accepted|superseded by \[\d{4}\]\(.+\))\n/);
    expect(page).toMatch(/\nDate: \d{4}-\d\d-\d\d( \(updated \d{4}-\d\d-\d\d\))?\n/);
  });

  test('is in the index exactly once', () => {
    const index = readFileSync(join(DECISIONS, 'README.md'), 'utf8');
    const listed = [...index.matchAll(/^- \[(\d{4})\]\((.+?)\)/gm)].map(([, number, name]) => {
      expect(name?.slice(0, 4)).toBe(number);
      return name;
    });
    expect(listed.toSorted()).toEqual(decisions);
  });

  test('is linked from code or from another page', () => {
    const text = ['apps', 'bench', 'docs', 'infra', 'packages', 'README.md', 'scripts']
      .flatMap((path) => filesBelow(join(ROOT, path)))
      .filter((path) => dirname(path) !== DECISIONS && /\.(md|mjs|tsx?|ya?ml)$/.test(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    expect(decisions.filter((name) => !text.includes(`decisions/${name.slice(0, 4)}`))).toEqual([]);
  });
});
