/** What one call of `embedmill embed` was asked to do, checked as far as it can be without reading anything. */

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import type { FormatName } from '@embedmill/contract';
import {
  type Dtype,
  type Precision,
  quote,
  type Treatment,
  type Truncate,
  type VectorEncoding,
} from '@embedmill/contract';
import { detectFormat, ROW_DEFAULTS, type RowFormat } from '@embedmill/core/formats';
import type { Config } from '@embedmill/core/process';
import { modelFolder } from '@embedmill/embed/added-models';
import { isLancePath } from '../../io/lance/folder.ts';
import { isObjectUrl, type ObjectUrl, readObjectUrl } from '../../io/objects/url.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { draftPathOf } from './destination/bucket.ts';

/** The options as commander hands them over. */
export interface EmbedFlags {
  to: string;
  text?: string;
  id?: string;
  format?: RowFormat;
  encoding: VectorEncoding;
  dtype: Dtype;
  precision: Precision;
  truncate: Truncate;
  clean: Treatment['clean'];
  long: Treatment['long'];
  prompt: string;
  glossary?: string;
  model?: string;
  limit?: number;
  threads?: number;
  batchRows?: number;
  server?: string;
  quiet?: true;
  json?: true;
  overwrite?: true;
}

/** Where the rows come from. */
export interface InputPlace {
  /** Absolute path; `null` for stdin. */
  path: string | null;
  /** As messages name it. */
  name: string;
  format: RowFormat;
}

/** A request with nothing left open. */
export interface EmbedRequest {
  input: InputPlace;
  textField: string;
  idField: string;
  /** True when the user named the id field, so that it must be there. */
  isIdAsked: boolean;
  limit: number | null;
  output: {
    /** Absolute path; of an object of a bucket that of its draft. */
    path: string;
    /** Where the output goes instead of to the path; `null`: nowhere else. */
    object: ObjectUrl | null;
    /** True when the output is a table of LanceDB, which is made of an Arrow file. */
    isLance: boolean;
    format: FormatName;
    encoding: VectorEncoding;
    dtype: Dtype;
  };
  precision: Precision;
  truncate: Truncate;
  treatment: Omit<Treatment, 'glossary'>;
  /** Absolute path of the glossary; `null`: none. */
  glossary: string | null;
  /** Folder of another model, or on a server its name; `null` for the built-in one. */
  model: string | null;
  server: string | null;
  threads: number | null;
  batchRows: number | null;
  quiet: boolean;
  json: boolean;
  overwrite: boolean;
}

const FORMATS: Readonly<Record<string, FormatName>> = {
  '.npy': 'npy',
  '.jsonl': 'jsonl',
  '.parquet': 'parquet',
  '.arrow': 'arrow',
  '.lance': 'arrow',
};

/** @throws {UsageError} that says what to write instead */
export function readRequest(
  given: string,
  flags: EmbedFlags,
  config: Pick<Config, 'model' | 'cacheDir'>,
): EmbedRequest {
  const input = readInput(given, flags);
  const output = readOutput(flags, config);
  if (input.path === output.path) throw new UsageError(`the output ${quote(flags.to)} is the input itself`);
  if (input.format === 'txt' && (flags.text !== undefined || flags.id !== undefined)) {
    throw new UsageError(
      '--text and --id name fields of jsonl, csv and tsv; each line of a txt input is one text',
    );
  }
  if (flags.threads !== undefined && flags.server !== undefined) {
    throw new UsageError('--threads is for the worker of this call; with --server the workers are elsewhere');
  }
  return {
    input,
    textField: flags.text ?? ROW_DEFAULTS.textField,
    idField: flags.id ?? ROW_DEFAULTS.idField,
    isIdAsked: flags.id !== undefined,
    limit: flags.limit ?? null,
    output,
    precision: flags.precision,
    truncate: flags.truncate,
    treatment: { clean: flags.clean, long: flags.long, prompt: flags.prompt },
    glossary: readGlossaryPath(flags.glossary),
    model: readModel(flags, config),
    server: readServer(flags.server),
    threads: flags.threads ?? null,
    batchRows: flags.batchRows ?? null,
    quiet: flags.quiet ?? false,
    json: flags.json ?? false,
    overwrite: flags.overwrite ?? false,
  };
}

/**
 * A file of texts, or `-` for stdin, whose format its name or `--format` tells.
 * @throws {UsageError} that says what to write instead
 */
export function readInput(given: string, flags: Pick<EmbedFlags, 'format'>): InputPlace {
  if (given === '-') {
    if (flags.format === undefined) {
      throw new UsageError('stdin has no name to tell its format; add --format jsonl, csv, tsv or txt');
    }
    return { path: null, name: 'stdin', format: flags.format };
  }
  if (!existsSync(given)) throw new UsageError(`there is no input file ${quote(given, 200)}`);
  if (statSync(given).isDirectory())
    throw new UsageError(`the input ${quote(given, 200)} is a folder; expected a file`);
  const format = flags.format ?? detectFormat(basename(given))?.format;
  if (format === undefined) {
    throw new UsageError(
      `the name ${quote(basename(given), 200)} does not tell the format; ` +
        'expected .jsonl, .csv, .tsv or .txt (each also with .gz), or add --format',
    );
  }
  return { path: resolve(given), name: given, format };
}

function readOutput(
  { to, encoding, dtype }: EmbedFlags,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): EmbedRequest['output'] {
  const object = isObjectUrl(to) ? readObjectUrl(to) : null;
  const isLance = isLancePath(to);
  const format = FORMATS[extname(object?.key ?? to).toLowerCase()];
  if (format === undefined) {
    throw new UsageError(`the output ${quote(to, 200)} must end in .npy, .jsonl, .parquet, .arrow or .lance`);
  }
  if (isLance && (object !== null || dtype !== 'float32')) {
    const what = object === null ? `keeps float32, not ${dtype}` : 'cannot be in a bucket';
    throw new UsageError(`a table of LanceDB ${what}: ${quote(to, 200)}`);
  }
  if (encoding !== 'float' && format !== 'jsonl') {
    throw new UsageError(
      `--encoding ${encoding} is for a .jsonl output; ${quote(to, 200)} has one encoding only`,
    );
  }
  const path = object === null ? resolve(to) : draftPathOf(object, cacheDir);
  if (object === null && !existsSync(dirname(path)))
    throw new UsageError(`there is no folder ${quote(dirname(path), 200)} for the output`);
  return { path, object, isLance, format, encoding, dtype };
}

/** On this machine the model is a folder; on a server it is the name its workers know. */
export function readModel(
  { model: named, server }: Pick<EmbedFlags, 'model' | 'server'>,
  config: Pick<Config, 'model' | 'cacheDir'>,
): string | null {
  if (server !== undefined) return named ?? null;
  const model = named ?? config.model;
  if (model === undefined) return null;
  const folder = modelFolder(model, config.cacheDir);
  if (folder === undefined) return null;
  if (existsSync(folder)) return folder;
  throw new UsageError(
    `there is no model folder ${quote(model, 200)}, and no model of that name was added (embedmill model list)`,
  );
}

function readGlossaryPath(glossary: string | undefined): string | null {
  if (glossary === undefined) return null;
  if (!existsSync(glossary)) throw new UsageError(`there is no glossary ${quote(glossary, 200)}`);
  return resolve(glossary);
}

/** The base URL of a producer, as `--server` gives it. @throws {UsageError} when it is no URL */
export function readServer(server: string | undefined): string | null {
  if (server === undefined) return null;
  const isUrl = URL.canParse(server) && ['http:', 'https:'].includes(new URL(server).protocol);
  if (!isUrl)
    throw new UsageError(
      `--server ${quote(server, 200)} is no URL; expected one such as http://127.0.0.1:8080`,
    );
  return server.replace(/\/+$/, '');
}
