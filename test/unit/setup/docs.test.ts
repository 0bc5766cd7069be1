/** The pages of docs/: links lead somewhere, and every decision has a status and is found from where it matters. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DECISIONS = join(ROOT, 'docs/decisions');

/** Files below these folders, and the pages at the top, without what was built or installed. */
function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !/^(\..+|node_modules|dist)$/.test(name))
    .flatMap((name) => filesBelow(join(path, name)));
}

/** The pages that people read: docs/, what lies at the top, and the README of each folder. */
const pages = filesBelow(ROOT).filter((path) => path.endsWith('.md') && !path.includes('/fixtures/'));
const decisions = readdirSync(DECISIONS).filter((name) => /^\d{4}-/.test(name));

/** A page without its code, in which brackets are no links. */
function readProse(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```|`[^`\n]+`/gm, '');
}

/** The anchors of a page's headings, as GitHub makes them. */
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
  test('has no link that leads nowhere', () => {
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

  test('explains every alert under the address that the rules give', () => {
    const rules = readFileSync(join(ROOT, 'infra/prometheus/rules.yml'), 'utf8');
    const anchors = [...rules.matchAll(/runbook_url: docs\/runbook\.md#(\S+)/g)].map(([, anchor]) => anchor);
    expect(anchors.length).toBeGreaterThan(0);
    expect(anchorsOf(join(ROOT, 'docs/runbook.md'))).toEqual(expect.arrayContaining(anchors));
  });
});

describe('every decision', () => {
  test.each(decisions)('%s has its number, a status and a date', (name) => {
    const page = readFileSync(join(DECISIONS, name), 'utf8');
    expect(page).toMatch(new RegExp(`^# ${name.slice(0, 4)}: .+\n`));
    expect(page).toMatch(/\nStatus: (accepted|superseded by \[\d{4}\]\(.+\))\n/);
    expect(page).toMatch(/\nDate: \d{4}-\d\d-\d\d( \(updated \d{4}-\d\d-\d\d\))?\n/);
  });

  test('is in the index once, with its number', () => {
    const index = readFileSync(join(DECISIONS, 'README.md'), 'utf8');
    const listed = [...index.matchAll(/^- \[(\d{4})\]\((.+?)\)/gm)].map(([, number, name]) => {
      expect(name?.slice(0, 4)).toBe(number);
      return name;
    });
    expect(listed.toSorted()).toEqual(decisions);
  });

  test('is mentioned in the code or on a page besides the index', () => {
    const text = ['apps', 'bench', 'docs', 'infra', 'packages', 'README.md', 'scripts']
      .flatMap((path) => filesBelow(join(ROOT, path)))
      .filter((path) => dirname(path) !== DECISIONS && /\.(md|mjs|tsx?|ya?ml)$/.test(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    expect(decisions.filter((name) => !text.includes(`decisions/${name.slice(0, 4)}`))).toEqual([]);
  });
});
