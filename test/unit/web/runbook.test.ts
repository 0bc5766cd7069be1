/** The runbook as a page: every alert links to a section of it, and nothing of its Markdown is left unread. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
// The package does not export the code of its pages.
import { runbookSections } from '../../../apps/web/src/app/pages/runbook/sections.ts';

const sections = runbookSections(readFileSync('docs/runbook.md', 'utf8'));
const anchors = sections.map(({ anchor }) => anchor);
const { groups } = parse(readFileSync('infra/prometheus/rules.yml', 'utf8')) as {
  groups: { rules: { alert?: string; for?: string; annotations?: Record<string, string> }[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);

describe('every alert', () => {
  it.each(alerts.map((rule) => [rule.alert!, rule] as const))(
    '%s waits, and opens its section',
    (name, rule) => {
      expect(rule.for).toMatch(/^\d+[sm]$/);
      const { runbook_url: url = '', summary } = rule.annotations!;
      expect(url).toBe(`http://localhost:8080/#/runbook/${name.toLowerCase()}`);
      expect(anchors).toContain(name.toLowerCase());
      expect(summary).toMatch(/\.(\{\{.*\}\})?$/);
    },
  );

  it('has no section without an alert', () => {
    expect(sections.slice(1).map(({ title }) => title)).toEqual(alerts.map(({ alert }) => alert));
  });
});

describe('the page', () => {
  const pieces = sections.flatMap(({ paragraphs }) => paragraphs.flat());

  it('reads all Markdown of the runbook', () => {
    expect(sections[0]?.title).toBe('Runbook');
    expect(sections.every(({ paragraphs }) => paragraphs.length > 0)).toBe(true);
    expect(pieces.filter(({ kind, text }) => kind !== 'code' && /[`[\]#*|]/.test(text))).toEqual([]);
  });

  it('links only to sections', () => {
    const links = pieces.flatMap(({ anchor }) => anchor ?? []);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });
});
