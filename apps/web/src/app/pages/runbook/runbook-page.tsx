/** The runbook: what each alert means and what to do; alerts link to its sections. */

import { to } from '../../router.ts';
import { PageLayout } from '../../ui/page.tsx';
import { type Piece, runbookSections } from './sections.ts';

/** Text of docs/runbook.md; vite.config.ts defines it. */
declare const RUNBOOK: string;

const [introduction, ...SECTIONS] = runbookSections(RUNBOOK);

/** Address of the section of an alert; `null` for alerts of the operator's own rules. */
export function runbookOf(alert: string): string | null {
  const anchor = alert.toLowerCase();
  return SECTIONS.some((section) => section.anchor === anchor) ? to('runbook', anchor) : null;
}

/** Renders the runbook and marks a section, to which the app scrolls. */
export function RunbookPage({ anchor }: { anchor: string | null }) {
  return (
    <PageLayout title="Runbook" lead={introduction?.paragraphs.map(paragraph)}>
      {SECTIONS.map((section) => {
        // Grafana links by the name of the alert.
        const isWanted = section.anchor === anchor?.toLowerCase();
        return (
          <section
            key={section.anchor}
            class={isWanted ? 'card wanted' : 'card'}
            aria-current={isWanted ? 'location' : undefined}
          >
            <h2>
              <a href={to('runbook', section.anchor)}>{section.title}</a>
            </h2>
            {section.paragraphs.map((pieces, i) => (
              <p key={i}>{paragraph(pieces)}</p>
            ))}
          </section>
        );
      })}
    </PageLayout>
  );
}

function paragraph(pieces: readonly Piece[]) {
  return pieces.map(({ kind, text, anchor = '' }, i) => {
    if (kind === 'code') return <code key={i}>{text}</code>;
    if (kind === 'link')
      return (
        <a key={i} href={to('runbook', anchor)}>
          {text}
        </a>
      );
    return text;
  });
}
