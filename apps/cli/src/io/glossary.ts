/** Reads glossary files. */

import { existsSync, readFileSync } from 'node:fs';
import { type GlossaryTerm, MAX_GLOSSARY_TERMS, MAX_TERM_CHARS, quote } from '@embedmill/contract';
import { UsageError } from '../shell/exit-codes.ts';
import { readRecords } from './records/read-records.ts';

/**
 * Terms in file order. The file is .json with an object of terms and their wording, or has records with the
 * fields `term`, `wording` and optionally `case` (`exact` or `any`).
 * @throws {UsageError} that quotes the first invalid entry
 */
export async function readGlossary(path: string): Promise<GlossaryTerm[]> {
  const terms: GlossaryTerm[] = [];
  for await (const { place, term, wording, rule } of objectEntries(path) ?? records(path)) {
    if (typeof term !== 'string' || term.trim() === '' || typeof wording !== 'string') {
      throw new UsageError(
        `${place} has the term ${quote(term)} and the wording ${quote(wording)}; expected two strings`,
      );
    }
    if (Math.max(term.length, wording.length) > MAX_TERM_CHARS) {
      throw new UsageError(
        `${place}: ${quote(term)} or its wording is longer than ${MAX_TERM_CHARS} characters`,
      );
    }
    if (rule === undefined || rule === null || rule === '') terms.push([term, wording]);
    else if (rule === 'exact' || rule === 'any') terms.push([term, wording, rule]);
    else throw new UsageError(`${place} has the case ${quote(rule)}; expected exact or any`);
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
}

async function* records(path: string): AsyncGenerator<Entry> {
  for await (const { place, fields } of readRecords(path, 'term')) {
    yield { place, term: fields.term, wording: fields.wording, rule: fields.case };
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
