/** Finds entries of a glossary that contradict each other. Free of models, so that a command can check a file at once. */

import { scriptOfLanguage } from '@embedmill/contract';
import { foldCase, type GlossaryEntry, isExact, writtenTerm } from './glossary.ts';

/** A contradiction; entries are named by their index. */
export type GlossaryProblem =
  /** Two entries for the same term, case and language, of which only one can count. */
  | { kind: 'repeated'; entry: number; earlier: number }
  /** Two entries for the same term in languages of one script, which texts do not tell apart. */
  | { kind: 'same-script'; entry: number; earlier: number; script: string }
  /** Each term is the wording of the one before, and the first that of the last. */
  | { kind: 'cycle'; entries: number[] };

/** An entry whose wording is the term of another one. */
export interface ChainedEntry {
  entry: number;
  next: number;
}

/** Returns the problems in the order of their entries. Blank terms are ignored. */
export function glossaryProblems(entries: readonly GlossaryEntry[]): GlossaryProblem[] {
  const problems: GlossaryProblem[] = [];
  const seen = new Map<string, number>();
  for (const [entry, { term, case: rule, language }] of entries.entries()) {
    const written = writtenTerm(term);
    if (written === '') continue;
    const script = scriptFor(language);
    const key = isExact(written, rule) ? `exact ${script} ${written}` : `any ${script} ${foldCase(written)}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, entry);
    else if (entries[earlier]?.language === language) problems.push({ kind: 'repeated', entry, earlier });
    else problems.push({ kind: 'same-script', entry, earlier, script });
  }
  const next = chainsOf(entries);
  /** The start of the walk that came to an entry. */
  const walkOf = new Map<number, number>();
  for (const start of next.keys()) {
    let at: number | undefined = start;
    const path: number[] = [];
    for (; at !== undefined && !walkOf.has(at); at = next.get(at)) {
      walkOf.set(at, start);
      path.push(at);
    }
    if (at !== undefined && walkOf.get(at) === start)
      problems.push({ kind: 'cycle', entries: path.slice(path.indexOf(at)) });
  }
  const placeOf = (problem: GlossaryProblem) =>
    problem.kind === 'cycle' ? Math.max(...problem.entries) : problem.entry;
  return problems.sort((a, b) => placeOf(a) - placeOf(b));
}

/** Returns the entries whose wording is another term: it is not replaced again, so that texts differ by which they use. */
export function chainedEntries(entries: readonly GlossaryEntry[]): ChainedEntry[] {
  return Array.from(chainsOf(entries), ([entry, next]) => ({ entry, next }));
}

/** The entry whose term is the wording of an entry, in the same language if there is one. */
function chainsOf(entries: readonly GlossaryEntry[]): Map<number, number> {
  const byTerm = new Map<string, number>();
  for (const [entry, { term, language }] of entries.entries()) {
    const written = writtenTerm(term);
    if (written !== '') byTerm.set(`${scriptFor(language)} ${foldCase(written)}`, entry);
  }
  const next = new Map<number, number>();
  for (const [entry, { term, wording, language }] of entries.entries()) {
    const [from, to] = [foldCase(writtenTerm(term)), foldCase(writtenTerm(wording))];
    // A wording that differs from its term only in case is a choice.
    if (from === '' || to === '' || from === to) continue;
    const found = byTerm.get(`${scriptFor(language)} ${to}`) ?? byTerm.get(` ${to}`);
    if (found !== undefined) next.set(entry, found);
  }
  return next;
}

function scriptFor(language: string | undefined): string {
  return language === undefined ? '' : (scriptOfLanguage(language) ?? '');
}
