/** The options of `embedmill embed`, validated as far as possible without reading the input. */

import { existsSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, relative, resolve } from 'node:path';
import {
  type Dtype,
  type EngineChoice,
  type FormatName,
  type Precision,
  quote,
  type Treatment,
  type Truncate,
  type VectorEncoding,
} from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { dimOfModel, readModel, readServers } from '../../engine/embedder/model-options.ts';
import { readPrompt } from '../../engine/embedder/treatment.ts';
import type { RemovedChoice } from '../../io/append/old-output.ts';
import { type ColumnChoice, readColumnChoice } from '../../io/columns/spool.ts';
import { isLancePath } from '../../io/lance-folder.ts';
import { isObjectUrl, readObjectUrl } from '../../io/objects/url.ts';
import { draftPathOf } from '../../io/output/bucket.ts';
import { isAppendable, type OutputTarget } from '../../io/output/types.ts';
import { choicesFrom, type TextsFlags } from '../../io/texts/choices.ts';
import type { InputRequest } from '../../io/texts/input.ts';
import { locateInput } from '../../io/texts/locate.ts';
import { UsageError } from '../../shell/exit-codes.ts';

/** The options as commander passes them. */
export interface EmbedFlags extends TextsFlags {
  to: string;
  encoding: VectorEncoding;
  dtype: Dtype;
  precision: Precision;
  dimensions?: number;
  /** `all`, `none` or names separated by commas. */
  columns: string;
  fileColumn?: string;
  truncate: Truncate;
  clean: Treatment['clean'];
  long: Treatment['long'];
  prompt?: string;
  glossary?: string;
  model?: string;
  limit?: number;
  maxUnknown?: number;
  threads?: number;
  engine?: EngineChoice;
  batchRows?: number;
  server?: string;
  quiet?: true;
  json?: true;
  overwrite?: true;
  shardRows?: number;
  append?: true;
  removed?: RemovedChoice;
}

/** A validated request. */
export interface EmbedFileRequest extends InputRequest {
  columns: ColumnChoice;
  fileColumn: string | null;
  /** SQL whose result is the input; `null` for files. */
  query: string | null;
  /** Maximum rows to read; `null` for all. */
  limit: number | null;
  output: OutputTarget;
  precision: Precision;
  truncate: Truncate;
  treatment: Omit<Treatment, 'glossary'>;
  /** Absolute path of the glossary; `null` for none. */
  glossary: string | null;
  /** Folder of the model, or its name on a server; `null` for the default model. */
  model: string | null;
  /** Base URL of a running producer, or of several with commas; `null` to start one. */
  server: string | null;
  threads: number | null;
  /** Engine of int8 models; `null` for that of the environment. */
  engine: EngineChoice | null;
  /** Share of unknown tokens above which the run stops, 0 to 1; `null` for none. */
  maxUnknown: number | null;
  /** Maximum rows per batch; `null` for the default of the producer. */
  batchRows: number | null;
  quiet: boolean;
  json: boolean;
  overwrite: boolean;
  /** Whether the vectors of an existing output are used again. */
  append: boolean;
  /** What becomes of removed rows of that output; `null` if not chosen. */
  removed: RemovedChoice | null;
}

/** Output formats by file name extension. */
const FORMATS: Readonly<Record<string, FormatName>> = {
  '.npy': 'npy',
  '.jsonl': 'jsonl',
  '.parquet': 'parquet',
  '.arrow': 'arrow',
  '.lance': 'arrow',
};

/** Validates the arguments. @throws {UsageError} that quotes the argument and says what is expected */
export function readRequest(
  given: readonly string[],
  flags: EmbedFlags,
  config: Pick<Config, 'model' | 'cacheDir'>,
): EmbedFileRequest {
  const input = locateInput(given, flags);
  const output = readOutput(flags, config);
  // A file that this command writes would become an input of the next attempt.
  const isInput = input.sources.some((source) => source.kind !== 'list' && source.path === output.path);
  if (isInput || given.includes(flags.to)) {
    throw new UsageError(`the output ${quote(flags.to)} is the input itself`);
  }
  const folder = given.find((name) => isFolderOf(name, output.path) || isPrefixOf(name, flags.to));
  if (folder !== undefined) {
    throw new UsageError(
      `the output ${quote(flags.to)} is in the input folder ${quote(folder, 200)}; expected another folder`,
    );
  }
  for (const option of ['threads', 'engine'] as const) {
    if (flags[option] === undefined || flags.server === undefined) continue;
    throw new UsageError(
      `--${option} applies to the worker that this command starts; leave it out with --server`,
    );
  }
  const model = readModel(flags, config);
  const dim = flags.server === undefined ? dimOfModel(model) : null;
  if (dim !== null && output.dimensions !== null && output.dimensions > dim) {
    throw new UsageError(
      `--dimensions ${output.dimensions} exceeds the ${dim} numbers of the model's vectors`,
    );
  }
  return {
    input,
    choices: choicesFrom(flags),
    columns: withFileColumn(readColumnChoice(flags.columns), flags.fileColumn),
    fileColumn: flags.fileColumn ?? null,
    query: flags.query ?? null,
    limit: flags.limit ?? null,
    output,
    precision: flags.precision,
    truncate: flags.truncate,
    treatment: { clean: flags.clean, long: flags.long, ...readPrompt(flags.prompt, 'document') },
    glossary: readGlossaryPath(flags.glossary),
    model,
    server: readServers(flags.server),
    threads: flags.threads ?? null,
    engine: flags.engine ?? null,
    maxUnknown: flags.maxUnknown === undefined ? null : flags.maxUnknown / 100,
    batchRows: flags.batchRows ?? null,
    quiet: flags.quiet ?? false,
    json: flags.json ?? false,
    overwrite: flags.overwrite ?? false,
    append: readAppend(flags, output),
    removed: flags.removed ?? null,
  };
}

/** @throws {UsageError} if rows cannot be appended to such an output */
function readAppend({ append, removed, to }: EmbedFlags, output: OutputTarget): boolean {
  if (append === undefined) {
    if (removed === undefined) return false;
    throw new UsageError(`--removed ${removed} requires --append`);
  }
  if (!isAppendable(output)) {
    const why = output.isLance
      ? 'a LanceDB table; write a .parquet file and load it with "embedmill load", which replaces rows by their ids'
      : output.object !== null
        ? 'an object in a bucket; append to a local file and copy that'
        : output.shardRows !== null
          ? 'a set of shards; embed the new rows into a set of their own'
          : 'int8, which is not exact; use float32 or float16';
    throw new UsageError(`--append cannot add to ${quote(to, 200)}: it is ${why}`);
  }
  return true;
}

/** Whether `name` is a folder that contains `path`, at any depth. */
function isFolderOf(name: string, path: string): boolean {
  if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) return false;
  const inside = relative(resolve(name), path);
  return !inside.startsWith('..') && !isAbsolute(inside);
}

/** Whether `name` is a folder of a bucket that contains the object `to`. */
function isPrefixOf(name: string, to: string): boolean {
  return isObjectUrl(name) && to.startsWith(name.endsWith('/') ? name : `${name}/`);
}

function readOutput(
  { to, encoding, dtype, dimensions, shardRows }: EmbedFlags,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): OutputTarget {
  const object = isObjectUrl(to) ? readObjectUrl(to) : null;
  const isLance = isLancePath(to);
  const format = FORMATS[extname(object?.key ?? to).toLowerCase()];
  if (format === undefined) {
    throw new UsageError(`the output ${quote(to, 200)} must end in .npy, .jsonl, .parquet, .arrow or .lance`);
  }
  if (isLance && (object !== null || dtype !== 'float32')) {
    const limit = object === null ? `stores float32, not ${dtype}` : 'cannot be in a bucket';
    throw new UsageError(`a LanceDB table ${limit}: ${quote(to, 200)}`);
  }
  if (encoding !== 'float' && format !== 'jsonl') {
    throw new UsageError(
      `--encoding ${encoding} requires a .jsonl output; ${quote(to, 200)} has only one encoding`,
    );
  }
  if (shardRows !== undefined && (isLance || object !== null || format === 'npy')) {
    throw new UsageError(
      `--shard-rows writes .parquet, .arrow or .jsonl files on this machine; the output is ${quote(to, 200)}`,
    );
  }
  const path = object === null ? resolve(to) : draftPathOf(object, cacheDir);
  if (object === null && !existsSync(dirname(path)))
    throw new UsageError(`there is no folder ${quote(dirname(path), 200)} for the output`);
  return {
    path,
    object,
    isLance,
    format,
    encoding,
    dtype,
    dimensions: dimensions ?? null,
    shardRows: shardRows ?? null,
  };
}

/** The column of the file names is copied, whichever columns of the input are. */
function withFileColumn(choice: ColumnChoice, fileColumn: string | undefined): ColumnChoice {
  if (fileColumn === undefined || choice === 'all') return choice;
  return choice === 'none' ? [fileColumn] : [...choice, fileColumn];
}

function readGlossaryPath(glossary: string | undefined): string | null {
  if (glossary === undefined) return null;
  if (!existsSync(glossary)) throw new UsageError(`there is no glossary ${quote(glossary, 200)}`);
  return resolve(glossary);
}
