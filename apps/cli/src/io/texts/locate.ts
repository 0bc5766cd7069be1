/** Finds the files that an input names: one or several, globs, folders, pipes and stdin. */

import { existsSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { formatOfName } from '@embedmill/core/formats';
import { globSync } from 'tinyglobby';
import { UsageError } from '../../shell/exit-codes.ts';

/** One file of an input. */
export interface InputFile {
  /** Absolute path; `null` for stdin. */
  path: string | null;
  /** Name for messages. */
  name: string;
  /** Whether it can be read only once, as a pipe or stdin. */
  isStream: boolean;
}

/** An input: its files are one dataset, in this order. */
export interface InputLocation {
  files: InputFile[];
  /** Name for messages and for the run. */
  name: string;
  /** Whether a file of it can be read only once, so that it cannot be identified or read again. */
  isStream: boolean;
}

/** Names that tools leave in folders of shards. */
const HIDDEN = /^[._]/;

/**
 * The files that these arguments name. Those of a glob or a folder are ordered by their path; a folder gives
 * the files, also in folders below, whose names show a format.
 * @throws {UsageError} for a missing file, and for a glob or folder without files
 */
export function locateInput(given: readonly string[]): InputLocation {
  const files = given.flatMap(filesOf);
  const [first] = files;
  if (first === undefined) throw new UsageError('there is no input; expected a file, a folder, a glob or -');
  if (files.length > 1 && files.some(({ path }) => path === null)) {
    throw new UsageError('stdin cannot be combined with files; give either - or files');
  }
  const name =
    given.length === 1 ? (files.length === 1 ? first.name : (given[0] ?? first.name)) : `${given[0]} …`;
  return { files, name, isStream: files.some(({ isStream }) => isStream) };
}

function filesOf(given: string): InputFile[] {
  if (given === '-') return [{ path: null, name: 'stdin', isStream: true }];
  if (!existsSync(given)) return filesOfGlob(given);
  const stats = statSync(given);
  return stats.isDirectory() ? filesOfFolder(given) : [fileAt(given, stats)];
}

function fileAt(name: string, stats: Stats): InputFile {
  return { path: resolve(name), name, isStream: !stats.isFile() };
}

function filesOfGlob(given: string): InputFile[] {
  const found = /[*?[{]/.test(given) ? globSync(given, { expandDirectories: false, dot: false }) : [];
  if (found.length === 0) throw new UsageError(`there is no input file ${quote(given, 200)}`);
  return found.toSorted(byPath).map((name) => fileAt(name, statSync(name)));
}

function filesOfFolder(folder: string): InputFile[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split('/').some((part) => HIDDEN.test(part)) && formatOfName(name) !== null);
  if (names.length === 0) {
    throw new UsageError(
      `the folder ${quote(folder, 200)} has no input files; expected names that end in .parquet, .arrow, .jsonl, .json, .csv, .tsv or .txt`,
    );
  }
  return names.toSorted(byPath).map((name) => fileAt(join(folder, name), statSync(join(folder, name))));
}

/** Orders by code units, as `LC_ALL=C sort` does: the same on every machine. */
function byPath(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
