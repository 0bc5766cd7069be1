/**
 * Sets of shards: the files that `embed --shard-rows` writes, `NAME-00000-of-00005.parquet`, and vectors in
 * several files as one. Decision: docs/decisions/0151-shards-are-named-by-their-number.md.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { quote } from '@embedmill/contract';
import { globSync } from 'tinyglobby';
import { UsageError } from '../../shell/exit-codes.ts';
import type { VectorFile, VectorReadOptions } from './types.ts';

/** Digits of shard numbers, as in data sets of Hugging Face. */
const DIGITS = 5;

const SHARD_NAME = /^(.*)-(\d{5,})-of-(\d{5,})(\.[a-z]+)$/;

/** Extensions of vector files in folders. */
const EXTENSIONS = new Set(['.parquet', '.arrow', '.jsonl', '.npy']);

/** Files beside vectors that hold none. */
const COMPANION = /\.(ids|report)\.jsonl$|\.scales\.npy$/;

/** `out.parquet` → `out-00001-of-00005.parquet`. @param number from 0 */
export function shardPath(outputPath: string, number: number, count: number): string {
  const extension = extname(outputPath);
  const digits = (n: number) => String(n).padStart(DIGITS, '0');
  const name = `${basename(outputPath, extension)}-${digits(number)}-of-${digits(count)}${extension}`;
  return join(dirname(outputPath), name);
}

/** The pattern of all shards of an output. */
export function shardPattern(outputPath: string, count: number): string {
  return shardPath(outputPath, 0, count).replace(/-\d+(-of-\d+\.[a-z]+)$/, '-*$1');
}

/** The shards that an output has, of complete sets and of incomplete ones, in the order of their names. */
export function shardsOf(outputPath: string): string[] {
  const extension = extname(outputPath);
  const folder = dirname(outputPath);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => {
      const [, stem, , , ending] = SHARD_NAME.exec(name) ?? [];
      return stem === basename(outputPath, extension) && ending === extension;
    })
    .sort()
    .map((name) => join(folder, name));
}

/**
 * The files of several that a folder, a glob or the name of a set means; `null` if the name is that of one file.
 * @throws {UsageError} if there are none, or a shard is missing
 */
export function locateVectors(given: string): string[] | null {
  const stats = statSync(given, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) return null;
  const found = stats === undefined ? filesNamed(given) : filesOfFolder(given);
  if (found.length === 0) return null;
  checkComplete(found);
  return found;
}

function filesNamed(given: string): string[] {
  if (!/[*?[{]/.test(given)) return shardsOf(given);
  return globSync(given, { expandDirectories: false, dot: false })
    .filter((name) => !COMPANION.test(name))
    .sort();
}

function filesOfFolder(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith('.') && EXTENSIONS.has(extname(name).toLowerCase()))
    .filter((name) => !COMPANION.test(name))
    .sort();
  const kinds = [...new Set(names.map((name) => extname(name).toLowerCase()))];
  if (kinds.length > 1) {
    throw new UsageError(
      `the folder ${quote(folder, 200)} has ${kinds.join(' and ')} files; give one kind, such as ${quote(join(folder, `*${kinds[0]}`), 200)}`,
    );
  }
  if (names.length === 0) {
    throw new UsageError(
      `the folder ${quote(folder, 200)} has no vector files; expected .parquet, .arrow, .jsonl or .npy`,
    );
  }
  return names.map((name) => join(folder, name));
}

/** Files with names of shards must be one whole set. */
function checkComplete(paths: readonly string[]): void {
  const sets = new Map<string, number>();
  for (const path of paths) {
    const [, stem, , count, ending] = SHARD_NAME.exec(basename(path)) ?? [];
    if (stem === undefined) continue;
    const set = `${join(dirname(path), stem)}-*-of-${count}${ending}`;
    sets.set(set, (sets.get(set) ?? 0) + 1);
  }
  for (const [set, found] of sets) {
    const count = Number(/-of-(\d+)/.exec(basename(set))?.[1]);
    if (found === count) continue;
    throw new UsageError(
      `${quote(set, 200)} has ${found} of ${count} shards; repeat the command that wrote them, or copy the others`,
    );
  }
}

/** Several files as one: their rows in this order. @throws {UsageError} if their dimensions differ */
export function concatFiles(name: string, files: readonly VectorFile[]): VectorFile {
  const dims = [...new Set(files.flatMap(({ dim }) => dim ?? []))];
  if (dims.length > 1) {
    throw new UsageError(`the files of ${quote(name, 200)} have vectors of ${dims.join(' and ')} numbers`);
  }
  const [dim] = dims;
  const rows = files.reduce<number | null>(
    (sum, file) => (sum === null || file.rows === null ? null : sum + file.rows),
    0,
  );
  return {
    name,
    rows,
    ...(dim === undefined ? {} : { dim }),
    read: (options) => readAll(name, files, options),
    async *readColumns(only) {
      for (const file of files) yield* file.readColumns(only);
    },
  };
}

async function* readAll(name: string, files: readonly VectorFile[], options?: VectorReadOptions) {
  let dim = 0;
  for (const file of files) {
    for await (const slice of file.read(options)) {
      dim ||= slice.dim;
      if (slice.dim !== dim) {
        throw new UsageError(
          `the files of ${quote(name, 200)} have vectors of ${dim} and ${slice.dim} numbers`,
        );
      }
      yield slice;
    }
  }
}
