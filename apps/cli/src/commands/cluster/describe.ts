/** Shows topics in a terminal: a table, by group if there are groups. */

import { cutLine } from '../../shell/terminal/lines.ts';
import { formatCount } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import type { TopicSummary, TopicsSummary } from './cluster.ts';

/** Maximum characters of the key terms of a topic. */
const MAX_TERMS_CHARS = 44;

/** Characters of the columns before the terms, with the gaps. */
const NUMBERS_CHARS = 26;

/** Minimum characters of a text that is worth showing. */
const MIN_TEXT_CHARS = 20;

/** Lines with sizes, key terms and a typical text of each topic, under the key terms of its group. */
export function describeTopics({ topics, groups }: TopicsSummary, columns: number): string[] {
  const ordered =
    groups.length === 0 ? topics : groups.flatMap((group) => group.topics.map((n) => topics[n]!));
  const hasTerms = topics.some(({ terms }) => terms.length > 0);
  const termsChars = hasTerms
    ? Math.min(MAX_TERMS_CHARS, Math.max(MIN_TEXT_CHARS, columns - NUMBERS_CHARS))
    : 0;
  const textChars = Math.max(MIN_TEXT_CHARS, columns - NUMBERS_CHARS - (hasTerms ? termsChars + 2 : 0));
  const cells = ordered.map((topic) => [
    String(topic.topic),
    formatCount(topic.rows),
    formatShare(topic.share),
    ...(hasTerms ? [cutLine(topic.terms.join(', '), termsChars)] : []),
    cutLine(typicalText(topic), textChars),
  ]);
  const head = ['TOPIC', 'ROWS', 'SHARE', ...(hasTerms ? ['KEY TERMS'] : []), 'TYPICAL ROW'];
  const [first, ...lines] = formatTable([head, ...cells], [0, 1, 2]);
  if (groups.length === 0) return [first!, ...lines];
  let shown = 0;
  return groups.flatMap(({ group, rows, share, terms, topics: members }) => {
    const title = cutLine(terms.join(', ') || `group ${group}`, Math.max(MIN_TEXT_CHARS, columns - 30));
    const own = lines.slice(shown, shown + members.length);
    shown += members.length;
    const heading = `${title} (${formatCount(rows)} rows, ${formatShare(share)})`;
    return [...(group === 0 ? [first!] : []), '', heading, ...own];
  });
}

function typicalText({ representatives }: TopicSummary): string {
  const [typical] = representatives;
  return typical === undefined ? '' : (typical.text ?? typical.id);
}

function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
