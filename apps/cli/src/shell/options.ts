/** Options that several commands share, and the parsers of their values. */

import { BUILT_IN_MODEL, ENGINE_CHOICES } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import { InvalidArgumentError, Option } from 'commander';

/** Returns a parser of whole numbers of at least `min`. */
export function wholeNumber(min: number): (given: string) => number {
  return (given) => {
    const value = Number(given);
    if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${min}.`);
  };
}

/** Parses a TCP port; 0 lets the system choose. */
export function port(given: string): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value <= 65_535) return value;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

/** Parses a percentage: 0 to 100. */
export function percentage(given: string): number {
  const value = Number(given);
  if (/^\d+(\.\d+)?$/.test(given) && value <= 100) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 100.');
}

/** Parses a fraction: above 0, at most 1. */
export function fraction(given: string): number {
  const value = Number(given);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0, up to 1.');
}

/** The default of an option for its help: the value of `variable` if set, or else `fallback`. */
export function defaultFrom(environment: Environment, variable: string, fallback: string | number): string {
  const value = environment[variable];
  const isSet = value !== undefined && value !== '';
  return isSet ? `(default: ${value}, from ${variable})` : `(default: ${fallback}, or $${variable})`;
}

/** The base URL of the producer on this machine, for commands without `--server`. */
export function localProducerUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** An option that may be repeated; `fallback` describes its default in the help. */
export const repeatable = (flags: string, description: string, fallback: string) =>
  new Option(flags, description)
    .default([], fallback)
    .argParser((given: string, before: readonly string[]): string[] => [...before, given]);

/** Number of inference threads. */
export const threadsOption = (environment: Environment) =>
  new Option(
    '--threads <n>',
    `inference threads ${defaultFrom(environment, 'EMBEDMILL_THREADS', 'one per CPU of the quota')}`,
  ).argParser(wholeNumber(1));

/** URL of Redis. Its value may hold a password, so the help never shows it. */
export const redisOption = () => new Option('--redis <url>', 'URL of Redis or Valkey (default: $REDIS_URL)');

/** URL of the producer to manage. */
export const producerOption = ({ PORT }: Environment) =>
  new Option('--server <url>', `URL of the producer (default: ${localProducerUrl(Number(PORT) || 8080)})`);

/** The argument of commands that read a vector file. */
export const VECTORS_ARGUMENT = [
  '<vectors>',
  'vector file: .npy, .jsonl, .parquet, .arrow or .lance',
] as const;

/**
 * Help text after the options: each command line with its meaning on the next line, so that none wraps at 80
 * columns.
 */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  return `\nExamples:\n${lines.map(([command, meaning]) => `  ${command}\n      ${meaning}\n`).join('')}`;
}

/** File formats of texts. */
const TEXT_FORMATS = ['jsonl', 'json', 'csv', 'tsv', 'txt'] as const;

/** Parses a delimiter or quote: one ASCII character, or a tab as `\\t`. */
export function oneCharacter(given: string): string {
  const value = given === '\\t' || given === 'tab' ? '\t' : given;
  if (/^[\t -~]$/.test(value)) return value;
  throw new InvalidArgumentError('Expected one ASCII character, or \\t for a tab.');
}

/** Fields and format of a text file. */
export const textsOptions = () => [
  new Option('--query <sql>', 'SQL to run, if the texts are in a database'),
  new Option('--text <field>', 'column or path with the text (default: "text")'),
  new Option('--id <field>', 'column or path with the id (default: "id", else row number)'),
  new Option('--format <format>', 'input format, if name and content do not show it').choices(TEXT_FORMATS),
  new Option('--delimiter <char>', 'character between two fields of csv (default: found)').argParser(
    oneCharacter,
  ),
  new Option('--quote <char>', 'character around fields of csv, or none (default: found)').argParser(
    (given: string) => (given === 'none' ? given : oneCharacter(given)),
  ),
  new Option('--header', 'take the first record of csv as the names of the columns'),
  new Option('--no-header', 'take it as a row; columns are called column0, column1'),
  new Option('--charset <name>', 'charset, such as windows-1252 (default: found)'),
];

/** Columns of the input that the .csv of a command has too. */
export const copiedColumnsOption = () =>
  new Option('--columns <names>', 'columns of the input to copy: names with commas, all or none').default(
    'all',
  );

/** Precision of the model. */
export const precisionOption = () =>
  new Option('--precision <precision>', 'precision of the model').choices(['int8', 'fp32']).default('int8');

/** Name or folder of the model. */
export const modelOption = (environment: Environment) =>
  new Option(
    '--model <model>',
    `name of a model, or its folder ${defaultFrom(environment, 'EMBEDMILL_MODEL', BUILT_IN_MODEL)}`,
  );

/** Permission to download the model. */
export const pullOption = () =>
  new Option('--pull', 'pull the model if it is not installed (default: ask on a terminal)');

/** Engine of int8 models. */
export const engineOption = ({ EMBEDMILL_ENGINE }: Environment) =>
  new Option(
    '--engine <engine>',
    `engine of int8 models ${defaultFrom({ EMBEDMILL_ENGINE }, 'EMBEDMILL_ENGINE', 'auto')}`,
  ).choices(ENGINE_CHOICES);

/** Which model embeds the texts of a command, and where. */
export const embedderOptions = (environment: Environment) => [
  precisionOption(),
  modelOption(environment),
  pullOption(),
  new Option('--server <url>', 'URL of a running producer to embed with (default: this process)'),
];
