/**
 * Writes `native/unicode-tables.h`: the character properties that BERT's normalizer needs, as this Node.js has them.
 * `node packages/engine/scripts/unicode-tables.mjs`, after `npm run build`, with a Node.js of the pinned
 * Unicode version.
 */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TOKENIZER_UNICODE } from '../dist/index.js';

const OUTPUT = fileURLToPath(new URL('../native/unicode-tables.h', import.meta.url));

const character = (code) => String.fromCodePoint(code);
/** Every code point except surrogates, which are not characters. */
const ALL = Array.from({ length: 0x110000 }, (_, code) => code).filter(
  (code) => code < 0xd800 || code > 0xdfff,
);

/** The text of the header for the Unicode version of this process. */
export function unicodeTables() {
  const mark = /^\p{Mn}$/u;
  const isReordered = (text) => text.normalize('NFD') !== text;
  // U+0345 has the highest combining class, U+0301 the next lower one of those that occur with it.
  const isCombining = (code) => {
    const own = character(code);
    if (isReordered(own)) return false;
    return isReordered(`a\u0345${own}`) || isReordered(`a${own}\u0301`);
  };
  const combining = ALL.filter(isCombining);
  const spacing = combining.filter((code) => !mark.test(character(code)));
  // Only the order of the classes matters: 1 plus the number of characters that are sorted before this one.
  const rank = (code) =>
    1 + spacing.filter((other) => isReordered(`a${character(code)}${character(other)}`)).length;

  return `/**
 * Unicode ${process.versions.unicode}, written by scripts/unicode-tables.mjs: do not edit.
 *
 * Ranges are pairs of a first and a last code point; surrogates are not listed.
 */
#pragma once
#include <cstdint>

namespace embedmill::unicode {

/** General categories Cc, Cf and Co. */
${ranges('CONTROLS', /^[\p{Cc}\p{Cf}\p{Co}]$/u)}

/** White space of ECMAScript's regular expressions. */
${ranges('SPACES', /^\s$/u)}

/** General category P, and what ASCII has besides letters, digits and controls. */
${ranges('PUNCTUATION', /^[\p{P}!-/:-@[-\x60{-~]$/u)}

/** General category Mn. */
${ranges('MARKS', mark)}

/** Characters of category Mn with canonical combining class 0: sorting of marks stops there. */
${listed(
  'STARTER_MARKS',
  toRanges(
    ALL.filter((code) => mark.test(character(code)) && !isReordered(character(code)) && !isCombining(code)),
  ),
)}

/** Characters beside category Mn with another combining class, each followed by the rank of its class. */
${listed(
  'SPACING_MARKS',
  spacing.flatMap((code) => [code, rank(code)]),
)}

/** Lower-case mappings, where they differ: code point, length, code points. */
${mappings('LOWER_CASE', (text) => text.toLowerCase())}

/** Full canonical decompositions, except those of Hangul syllables: code point, length, code points. */
${mappings('DECOMPOSITIONS', (text) => (/^[\uac00-\ud7a3]$/.test(text) ? text : text.normalize('NFD')))}

}  // namespace embedmill::unicode
`;
}

function ranges(name, pattern) {
  return listed(name, toRanges(ALL.filter((code) => pattern.test(character(code)))));
}

/** First and last of each run of code points. */
function toRanges(codes) {
  const found = [];
  for (const code of codes) {
    if (found.length > 0 && found.at(-1) === code - 1) found[found.length - 1] = code;
    else found.push(code, code);
  }
  return found;
}

function mappings(name, map) {
  return listed(
    name,
    ALL.flatMap((code) => {
      const mapped = Array.from(map(character(code)), (one) => one.codePointAt(0));
      return mapped.length === 1 && mapped[0] === code ? [] : [code, mapped.length, ...mapped];
    }),
  );
}

function listed(name, values) {
  const lines = [];
  let line = '   ';
  for (const value of values) {
    const item = ` ${value > 9 ? `0x${value.toString(16)}` : value},`;
    if (line.length + item.length > 120) {
      lines.push(line);
      line = '   ';
    }
    line += item;
  }
  return `constexpr uint32_t ${name}[] = {\n${[...lines, line].join('\n')}\n};`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.versions.unicode !== TOKENIZER_UNICODE) {
    console.error(
      `Node.js ${process.version} has Unicode ${process.versions.unicode}, expected ${TOKENIZER_UNICODE}`,
    );
    process.exit(1);
  }
  await writeFile(OUTPUT, unicodeTables());
}
