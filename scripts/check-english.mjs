/**
 * Fails on wordings that this project avoids, in comments, messages and docs: `npm run check:english [-- path…]`.
 *
 * Each rule matches only what is wrong in every context, so no comment disables one. A phrase may be wrapped over
 * two lines of a comment or paragraph. Code in Markdown is skipped.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ROOT } from './lib/root.mjs';

/** White space between two words, or a line break with the comment or quote mark of the next line. */
const GAP = String.raw`(?:[ \t]*\r?\n[ \t]*(?:\*(?!/)|//+|>)?[ \t]*|[ \t]+)`;

/** Nouns with a minimum or maximum. */
const COUNTED =
  'rows?|texts?|batches|cosines?|scores?|bytes|tokens|terms|lines|characters|threads|workers|pieces|parts|chunks|' +
  'connections|number|keys|entries|files|jobs|requests|calls|runs|pairs|points|clusters|words|levels?|values?|time';

/** Comparatives: "is no longer" is correct. */
const COMPARATIVES = 'longer|shorter|larger|smaller|higher|lower|faster|slower|better|worse|less|different';

/** Each wording, why it is wrong, and what to write instead. */
const RULES = [
  {
    pattern: phrase(
      String.raw`(?<!\bthere )\bis no (?!(?:${COMPARATIVES}|more than)\b|(?:accident|surprise|use|work)\b)["'“\`]?([\w-]+)`,
    ),
    reason: 'the verb is negated, not the noun',
    instead: (_, noun) => `"is not ${/^([aeio]|un)/.test(noun) ? 'an' : 'a'} ${noun}" or "is not ${noun}"`,
  },
  {
    // "Most rows have an id" is correct; "most rows of a batch" means a maximum.
    pattern: phrase(
      String.raw`(?:(?<=["'\`|]\s*|\d )most|\bMost) (${COUNTED})\b(?= (?:of(?! most)|per|that|in|for|and|to|a|fed)\b|[.,;:|"'\`]|\s*\*/)`,
      'g',
    ),
    reason: 'a bound is a maximum',
    instead: (_, noun) => `"maximum ${noun}"`,
  },
  {
    pattern: phrase(String.raw`(?<!\bat )\bleast (${COUNTED})\b`),
    reason: 'a bound is a minimum',
    instead: (_, noun) => `"minimum ${noun}"`,
  },
  {
    pattern: phrase(String.raw`(?<!\binstead )\bof ours\b`),
    reason: 'what is meant has a name',
    instead: () => '"our …", "internal" or its name',
  },
  {
    pattern: phrase('of its own kind'),
    reason: 'this is not idiomatic',
    instead: () => '"its own", "separate" or "special"',
  },
  {
    pattern: phrase('for ever'),
    reason: 'this spelling is obsolete',
    instead: () => '"indefinitely" or "forever"',
  },
  { pattern: phrase('anew'), reason: 'this is archaic', instead: () => '"again" or "from the start"' },
  {
    pattern: phrase('meanwhile'),
    reason: 'this does not say when',
    instead: () => '"during …", "while …" or "in the meantime"',
  },
  {
    pattern: phrase('nobody answers(?! my letters)'), // part of a recorded sample text
    reason: 'systems are not people',
    instead: () => '"there is no response" or "is unreachable"',
  },
  {
    pattern: phrase(String.raw`so many\b(?!(?: \w+)? that\b)`),
    reason: 'this does not say how many',
    instead: () => '"this number of …" or "N"',
  },
  {
    pattern: phrase('by the clock of'),
    reason: 'a time belongs to a system',
    instead: () => '"in Redis time" or "according to Redis"',
  },
  {
    pattern: /(?<![\w.,/:#-]|\d )[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\w|\.\d)/g,
    reason: 'a comma separates thousands',
    instead: (number) => `"${number.replaceAll(/\D/g, ',')}"`,
  },
];

/** Files to read, and names to skip: generated, installed and recorded files. */
const READ = /\.(md|mjs|tsx?)$/;
const SKIPPED = /^(\..+|node_modules|dist|fixtures)$/;
/** These two files quote the wordings. */
const QUOTING = ['scripts/check-english.mjs', 'test/unit/setup/english.test.ts'].map((path) =>
  join(ROOT, path),
);

const given = process.argv.slice(2);
const findings = (given.length === 0 ? [ROOT] : given.map((path) => resolve(path)))
  .flatMap(filesBelow)
  .flatMap(check);
for (const { path, line, reason, instead, text } of findings) {
  console.error(`${path}:${line}: ${reason}; write ${instead}\n    ${text}`);
}
console.log(
  findings.length === 0
    ? 'No wording to change.'
    : `${findings.length} wording${findings.length === 1 ? '' : 's'} to change.`,
);
process.exitCode = findings.length === 0 ? 0 : 1;

/** A pattern for whole words; each space also matches a line break. */
function phrase(source, flags = 'gi') {
  const bounded = /^\w/.test(source) ? `\\b${source}` : source;
  return new RegExp((/\w$/.test(source) ? `${bounded}\\b` : bounded).replaceAll(' ', GAP), flags);
}

/** The file itself, or all files to read in a folder. */
function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.test(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]))
    .filter((file) => READ.test(file) && !QUOTING.includes(file));
}

/** The findings in a file, ordered by line. */
function check(file) {
  const text = readFileSync(file, 'utf8');
  const prose = file.endsWith('.md') ? withoutCode(text) : text;
  return RULES.flatMap(({ pattern, reason, instead }) =>
    [...prose.matchAll(pattern)].map((match) => {
      const line = prose.slice(0, match.index).split('\n').length;
      return {
        path: relative(process.cwd(), file),
        line,
        reason: `"${match[0].replaceAll(/\s+(\*|\/\/+|>)?\s*/g, ' ')}": ${reason}`,
        instead: instead(...match),
        text: text.split('\n')[line - 1].trim(),
      };
    }),
  ).toSorted((one, other) => one.line - other.line);
}

/** Markdown with code blocks and code spans masked; positions stay the same. */
function withoutCode(markdown) {
  return markdown.replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```|`[^`\n]+`/gm, (code) =>
    code.replaceAll(/[^\n]/g, '\u0000'),
  );
}
