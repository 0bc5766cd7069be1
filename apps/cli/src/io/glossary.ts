/** Reads glossary files and reports their errors by line. */

import { existsSync, readFileSync } from 'node:fs';
import {
  type GlossaryTerm,
  MAX_GLOSSARY_TERMS,
  MAX_TERM_CHARS,
  quote,
  scriptOfLanguage,
} from '@embedmill/contract';
import { type GlossaryProblem, glossaryProblems } from '@embedmill/embed/glossary';
import { UsageError } from '../shell/exit-codes.ts';
import { readRecords } from './records/read-records.ts';

/** Maximum errors in one message. */
const MAX_ERRORS_SHOWN = 10;

/** An entry of a glossary file. */
export interface PlacedTerm {
  /** File and line for messages. */
  place: string;
  term: string;
  wording: string;
  case?: 'exact' | 'any' | undefined;
  language?: string | undefined;
}

/**
 * Terms in file order: see {@link readPlacedTerms}.
 * @throws {UsageError} that quotes the invalid entries
 */
export async function readGlossary(path: string): Promise<GlossaryTerm[]> {
  return (await readPlacedTerms(path)).map(({ term, wording, case: rule, language }): GlossaryTerm => {
    // Terms without a language are stored as before, so that glossaries keep their hashes.
    if (language !== undefined) return [term, wording, rule ?? null, language];
    return rule === undefined ? [term, wording] : [term, wording, rule];
  });
}

/**
 * Terms with their places, in file order. The file is .json with an object of terms and their wording, or has records with
 * the fields `term`, `wording` and optionally `case` (`exact` or `any`) and `language` (a BCP 47 tag).
 * @throws {UsageError} that quotes the invalid entries, repeated terms and cycles, at most ten
 */
export async function readPlacedTerms(path: string): Promise<PlacedTerm[]> {
  const terms: PlacedTerm[] = [];
  const errors: string[] = [];
  for await (const entry of objectEntries(path) ?? records(path)) {
    const read = readEntry(entry);
    if (typeof read === 'string') errors.push(read);
    else terms.push(read);
    // A file with another meaning has an error in every line.
    if (errors.length > MAX_ERRORS_SHOWN) break;
  }
  if (errors.length === 0) {
    errors.push(...glossaryProblems(terms).map((problem) => describeProblem(problem, terms)));
  }
  if (errors.length > 0) {
    const more = errors.length > MAX_ERRORS_SHOWN ? ['… and more errors'] : [];
    throw new UsageError([...errors.slice(0, MAX_ERRORS_SHOWN), ...more].join('\n'));
  }
  if (terms.length > MAX_GLOSSARY_TERMS) {
    throw new UsageError(
      `${quote(path, 200)} has ${terms.length} terms; expected at most ${MAX_GLOSSARY_TERMS}`,
    );
  }
  return terms;
}

/** An unvalidated entry. */
interface Entry {
  place: string;
  term: unknown;
  wording: unknown;
  rule?: unknown;
  language?: unknown;
  /** Names of all fields, for messages. */
  fields?: readonly string[];
}

/** Returns the entry, or an error message. */
function readEntry({ place, term, wording, rule, language, fields }: Entry): PlacedTerm | string {
  if (wording === undefined && fields !== undefined) {
    return `${place} has no "wording"; its fields are ${fields.map((name) => quote(name)).join(', ')}`;
  }
  if (typeof term !== 'string' || typeof wording !== 'string') {
    return `${place} has the term ${quote(term)} and the wording ${quote(wording)}; expected two strings`;
  }
  if (term.trim() === '') return `${place} has a blank term; expected a word or phrase`;
  if (Math.max(term.length, wording.length) > MAX_TERM_CHARS) {
    return `${place}: ${quote(term)} or its wording is longer than ${MAX_TERM_CHARS} characters`;
  }
  const entry: PlacedTerm = { place, term, wording };
  if (isGiven(rule)) {
    if (rule !== 'exact' && rule !== 'any')
      return `${place} has the case ${quote(rule)}; expected exact or any`;
    entry.case = rule;
  }
  if (isGiven(language)) {
    if (typeof language !== 'string' || scriptOfLanguage(language) === undefined) {
      return `${place} has the language ${quote(language)}; expected a tag such as zh, ja, th, ru or en`;
    }
    entry.language = language;
  }
  return entry;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function describeProblem(problem: GlossaryProblem, terms: readonly PlacedTerm[]): string {
  if (problem.kind === 'cycle') {
    const entries = problem.entries.map((entry) => terms[entry]!);
    const words = [...entries, entries[0]!].map(({ term }) => quote(term.trim())).join(' → ');
    const places = entries.map(({ place }) => place).join(', ');
    return `${places}: the terms form a cycle, ${words}; choose one wording for all of them`;
  }
  const [{ place, term, language }, earlier] = [terms[problem.entry]!, terms[problem.earlier]!];
  if (problem.kind === 'repeated')
    return `${place} repeats the term ${quote(term.trim())} of ${earlier.place}`;
  return (
    `${place} has the term ${quote(term.trim())} for ${quote(language)}, and ${earlier.place} for ` +
    `${quote(earlier.language)}; both are written in ${problem.script} letters, by which languages are told apart`
  );
}

async function* records(path: string): AsyncGenerator<Entry> {
  for await (const { place, fields } of readRecords(path, 'term')) {
    const { term, wording, case: rule, language } = fields;
    yield { place, term, wording, rule, language, fields: Object.keys(fields) };
  }
}

/** The entries of a .json file with one object; `null` for any other file. */
function objectEntries(path: string): Entry[] | null {
  if (!path.endsWith('.json') || !existsSync(path)) return null;
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UsageError(`${quote(path, 200)} is not JSON`, { cause });
  }
  if (Array.isArray(given)) return null;
  if (typeof given !== 'object' || given === null) {
    throw new UsageError(`${quote(path, 200)} must contain an object of terms and their wording`);
  }
  return Object.entries(given).map(([term, wording]) => ({ place: path, term, wording }));
}
