/** Finds the sources that an input names: files, globs, folders, pipes, stdin, URLs and databases. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { quote } from '@embedmill/contract';
import { formatOfName } from '@embedmill/core/formats';
import { globSync } from 'tinyglobby';
import { UsageError } from '../../shell/exit-codes.ts';
import { isLancePath } from '../lance-folder.ts';
import { isObjectUrl } from '../objects/url.ts';
import { lanceSource } from '../sources/databases/lance.ts';
import { isDatabaseUrl, querySource } from '../sources/databases/query.ts';
import { fileSource, STDIN } from '../sources/file.ts';
import { isWebUrl, resourceAt } from '../sources/http.ts';
import { byPath, isDataFile } from '../sources/names.ts';
import { objectsAt } from '../sources/s3.ts';
import type { InputSource, SourceDeps, SourceList } from '../sources/types.ts';

/** An input: its sources are one dataset, in this order. */
export interface InputLocation {
  /** Remote ones are found when the input is opened: see {@link expandInput}. */
  sources: readonly (InputSource | SourceList)[];
  /** Name for messages and for the run. */
  name: string;
  /** Whether a source of it can be read only once, so that it cannot be identified or read again. */
  isStream: boolean;
}

/**
 * The sources that these arguments name. Files of a glob or a folder are ordered by their path; a folder gives
 * the files, also in folders below, whose names show a format.
 * @param query SQL to run in the database that is the only argument
 * @throws {UsageError} for a missing file, and for a glob or folder without files
 */
export function locateInput(
  given: readonly string[],
  { query }: { query?: string | undefined } = {},
): InputLocation {
  if (query !== undefined && given.length !== 1)
    throw new UsageError('--query requires one database as the input');
  const sources = given.flatMap<InputSource | SourceList>((name) =>
    query === undefined ? sourcesOf(name) : [querySource(name, query)],
  );
  const [first] = sources;
  if (first === undefined)
    throw new UsageError('there is no input; expected a file, a folder, a glob, a URL or -');
  if (sources.length > 1 && sources.includes(STDIN)) {
    throw new UsageError('stdin cannot be combined with files; give either - or files');
  }
  const name =
    given.length === 1 ? (sources.length === 1 ? first.name : (given[0] ?? first.name)) : `${first.name} …`;
  return { sources, name, isStream: sources.some((source) => source.kind !== 'list' && source.isStream) };
}

/** The sources of an input, with those in buckets listed. Each call gives new ones, without a version. */
export async function expandInput({ sources }: InputLocation, deps: SourceDeps): Promise<InputSource[]> {
  const expanded: InputSource[] = [];
  for (const source of sources) {
    if (source.kind === 'list') expanded.push(...(await source.expand(deps)));
    else expanded.push(source);
  }
  return expanded;
}

function sourcesOf(given: string): (InputSource | SourceList)[] {
  if (given === '-') return [STDIN];
  if (isWebUrl(given)) return [resourceAt(given)];
  if (isObjectUrl(given)) return [objectsAt(given)];
  if (isDatabaseUrl(given)) {
    throw new UsageError(
      'a database requires --query, such as --query "SELECT id, text FROM reviews ORDER BY id"',
    );
  }
  if (!existsSync(given)) return filesOfGlob(given);
  const stats = statSync(given);
  if (!stats.isDirectory()) return [fileSource(given, stats)];
  return isLancePath(given) ? [lanceSource(given)] : filesOfFolder(given);
}

function filesOfGlob(given: string): InputSource[] {
  const found = /[*?[{]/.test(given) ? globSync(given, { expandDirectories: false, dot: false }) : [];
  if (found.length === 0) throw new UsageError(`there is no input file ${quote(given, 200)}`);
  return found.toSorted(byPath).map((name) => fileSource(name, statSync(name)));
}

function filesOfFolder(folder: string): InputSource[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => isDataFile(name) && formatOfName(name) !== null);
  if (names.length === 0) {
    throw new UsageError(
      `the folder ${quote(folder, 200)} has no input files; expected names that end in .parquet, .arrow, .jsonl, .json, .csv, .tsv or .txt`,
    );
  }
  return names.toSorted(byPath).map((name) => fileSource(join(folder, name), statSync(join(folder, name))));
}
