/** Takes HTML out of a text; the step `html` of `clean-steps.ts`. */
import { Tokenizer } from 'htmlparser2';

/** Elements that stand inside a word or a line; every other one stands for a blank. */
const INLINE = new Set(
  'a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var'.split(
    ' ',
  ),
);

/** Elements whose content is not written for people; the tokenizer sees no tag within them but their own end. */
const SILENT = new Set(['script', 'style']);

/** What can only begin a tag when a `>` follows before the next `<`: "x <y" is a text, not the start of an endless tag. */
const UNCLOSED = /<(?![^<]*>)/g;

const nothing = () => {};

/**
 * The text without tags, comments, scripts and styles, and with entities as the characters they stand for. The library's
 * tokenizer without its parser: nesting does not matter here, and keeping track of it takes quadratic time.
 */
export function withoutHtml(text: string): string {
  if (!/[<&]/.test(text)) return text;
  const html = text.replace(UNCLOSED, '&lt;');
  let plain = '';
  let isSilent = false;
  const passTag = (start: number, end: number, opens: boolean) => {
    const name = html.slice(start, end).toLowerCase();
    if (SILENT.has(name)) isSilent = opens;
    else if (!INLINE.has(name)) plain += ' ';
  };
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) => passTag(start, end, true),
      onclosetag: (start, end) => passTag(start, end, false),
      ontext: (start, end) => {
        if (!isSilent) plain += html.slice(start, end);
      },
      ontextentity: (codePoint) => {
        if (!isSilent) plain += String.fromCodePoint(codePoint);
      },
      onattribdata: nothing,
      onattribend: nothing,
      onattribentity: nothing,
      onattribname: nothing,
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onend: nothing,
      onopentagend: nothing,
      onprocessinginstruction: nothing,
      onselfclosingtag: nothing,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return plain;
}
