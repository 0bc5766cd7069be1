/** Reads docs/runbook.md: headings, paragraphs, inline code and links, which is all that it contains. */

/** A piece of a paragraph. A link has the anchor of a section; links to other documents are text. */
export interface Piece {
  kind: 'text' | 'code' | 'link';
  text: string;
  anchor?: string;
}

/** A section of the runbook; the first one is the introduction. */
export interface RunbookSection {
  title: string;
  /** As in GitHub's links: the title in lower case. */
  anchor: string;
  paragraphs: Piece[][];
}

/** Parses the runbook. */
export function runbookSections(markdown: string): RunbookSection[] {
  const sections: RunbookSection[] = [];
  for (const block of markdown.trim().split(/\n\s*\n/)) {
    const title = /^#+ (.+)$/.exec(block)?.[1];
    if (title !== undefined) {
      sections.push({ title, anchor: title.toLowerCase().replaceAll(' ', '-'), paragraphs: [] });
    } else sections.at(-1)?.paragraphs.push(piecesOf(block.replaceAll('\n', ' ')));
  }
  return sections;
}

/** Inline code in one pair of backticks, and `[text](target)`. */
const INLINE = /`([^`]+)`|\[([^\]]+)\]\(([^)]+)\)/g;

function piecesOf(paragraph: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const addText = (to: number) => {
    if (to > end) pieces.push({ kind: 'text', text: paragraph.slice(end, to) });
  };
  for (const match of paragraph.matchAll(INLINE)) {
    const [all, code, text = '', target = ''] = match;
    addText(match.index);
    end = match.index + all.length;
    if (code !== undefined) pieces.push({ kind: 'code', text: code });
    else if (target.startsWith('#')) pieces.push({ kind: 'link', text, anchor: target.slice(1) });
    else pieces.push({ kind: 'text', text });
  }
  addText(paragraph.length);
  return pieces;
}
