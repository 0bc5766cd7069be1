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
import { dimOfModel, readModel, readServer } from '../../engine/embedder/model-options.ts';
import type { ColumnChoice } from '../../io/columns/spool.ts';
import { isLancePath } from '../../io/lance-folder.ts';
import { isObjectUrl, readObjectUrl } from '../../io/objects/url.ts';
import { draftPathOf } from '../../io/output/bucket.ts';
import type { OutputTarget } from '../../io/output/types.ts';
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
  truncate: Truncate;
  clean: Treatment['clean'];
  long: Treatment['long'];
  prompt: string;
  glossary?: string;
  model?: string;
  limit?: number;
  threads?: number;
  engine?: EngineChoice;
  batchRows?: number;
  server?: string;
  quiet?: true;
  json?: true;
  overwrite?: true;
}

/** A validated request. */
export interface EmbedFileRequest extends InputRequest {
  columns: ColumnChoice;
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
  /** Base URL of a running producer; `null` to start one. */
  server: string | null;
  threads: number | null;
  /** Engine of int8 models; `null` for that of the environment. */
  engine: EngineChoice | null;
  /** Maximum rows per batch; `null` for the default of the producer. */
  batchRows: number | null;
  quiet: boolean;
  json: boolean;
  overwrite: boolean;
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
  const input = locateInput(given);
  const output = readOutput(flags, config);
  // A file that this command writes would become an input of the next attempt.
  if (input.files.some(({ path }) => path === output.path)) {
    throw new UsageError(`the output ${quote(flags.to)} is the input itself`);
  }
  const folder = given.find((name) => isFolderOf(name, output.path));
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
    columns: readColumns(flags.columns),
    limit: flags.limit ?? null,
    output,
    precision: flags.precision,
    truncate: flags.truncate,
    treatment: { clean: flags.clean, long: flags.long, prompt: flags.prompt },
    glossary: readGlossaryPath(flags.glossary),
    model,
    server: readServer(flags.server),
    threads: flags.threads ?? null,
    engine: flags.engine ?? null,
    batchRows: flags.batchRows ?? null,
    quiet: flags.quiet ?? false,
    json: flags.json ?? false,
    overwrite: flags.overwrite ?? false,
  };
}

/** Whether `name` is a folder that contains `path`, at any depth. */
function isFolderOf(name: string, path: string): boolean {
  if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) return false;
  const inside = relative(resolve(name), path);
  return !inside.startsWith('..') && !isAbsolute(inside);
}

function readOutput(
  { to, encoding, dtype, dimensions }: EmbedFlags,
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
  const path = object === null ? resolve(to) : draftPathOf(object, cacheDir);
  if (object === null && !existsSync(dirname(path)))
    throw new UsageError(`there is no folder ${quote(dirname(path), 200)} for the output`);
  return { path, object, isLance, format, encoding, dtype, dimensions: dimensions ?? null };
}

/** `all` and `none` are words; columns of these names cannot be chosen alone. */
function readColumns(given: string): ColumnChoice {
  if (given === 'all' || given === 'none') return given;
  return given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function readGlossaryPath(glossary: string | undefined): string | null {
  if (glossary === undefined) return null;
  if (!existsSync(glossary)) throw new UsageError(`there is no glossary ${quote(glossary, 200)}`);
  return resolve(glossary);
}
