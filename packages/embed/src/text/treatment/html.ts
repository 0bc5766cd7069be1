/** Removes HTML from a text; the step `html` of `clean-steps.ts`. */

import { Tokenizer } from 'htmlparser2';

/** Inline elements; every other element is replaced by a space. */
const INLINE = new Set(
  'a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var'.split(
    ' ',
  ),
);

/** Elements whose content is code; the tokenizer finds no tags inside them except their end tag. */
const SKIPPED = new Set(['script', 'style']);

/** A `<` without a `>` before the next `<`: "x <y" is text, not the start of an endless tag. */
const UNCLOSED = /<(?![^<]*>)/g;

const ignore = () => {};

/**
 * Returns the text without tags, comments, scripts and styles, and with entities decoded. Uses only the
 * tokenizer of the library: nesting does not matter here, and its parser takes quadratic time to track it.
 */
export function withoutHtml(text: string): string {
  if (!/[<&]/.test(text)) return text;
  const html = text.replace(UNCLOSED, '&lt;');
  let plain = '';
  let isSkipped = false;
  const passTag = (start: number, end: number, opens: boolean) => {
    const name = html.slice(start, end).toLowerCase();
    if (SKIPPED.has(name)) isSkipped = opens;
    else if (!INLINE.has(name)) plain += ' ';
  };
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) => passTag(start, end, true),
      onclosetag: (start, end) => passTag(start, end, false),
      ontext: (start, end) => {
        if (!isSkipped) plain += html.slice(start, end);
      },
      ontextentity: (codePoint) => {
        if (!isSkipped) plain += String.fromCodePoint(codePoint);
      },
      onattribdata: ignore,
      onattribend: ignore,
      onattribentity: ignore,
      onattribname: ignore,
      oncdata: ignore,
      oncomment: ignore,
      ondeclaration: ignore,
      onend: ignore,
      onopentagend: ignore,
      onprocessinginstruction: ignore,
      onselfclosingtag: ignore,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return plain;
}
