/** Options that several commands share, and how their values are read. */

import { InvalidArgumentError, Option } from 'commander';

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (given: string) => number {
  return (given) => {
    const value = Number(given);
    if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
  };
}

/** Reads a TCP port; 0 lets the system choose. */
export function port(given: string): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value <= 65_535) return value;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

/** An option that may be given again and again; `unasked` names in the help what holds without it. */
export const repeatable = (flags: string, description: string, unasked: string) =>
  new Option(flags, description)
    .default([], unasked)
    .argParser((given: string, before: readonly string[]): string[] => [...before, given]);

/** Inference threads of a worker. */
export const threadsOption = () =>
  new Option('--threads <n>', 'inference threads (default: one per CPU of the quota)').argParser(
    wholeNumber(1),
  );

/** The Redis to use, instead of `REDIS_URL`. */
export const redisOption = () => new Option('--redis <url>', 'Redis or Valkey to use (default: $REDIS_URL)');

/** Help behind the options: each command line with its meaning below, so that nothing wraps at 80 columns. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  return `\nExamples:\n${lines.map(([command, meaning]) => `  ${command}\n      ${meaning}\n`).join('')}`;
}

/** The fields of an input of texts. */
export const textsOptions = () => [
  new Option('--text <field>', 'field or column with the text (default: "text")'),
  new Option('--id <field>', 'field or column with the id (default: "id", else the row number)'),
  new Option('--format <format>', 'of the texts, when the name does not tell').choices([
    'jsonl',
    'csv',
    'tsv',
    'txt',
  ]),
];

/** Which model embeds a command's own texts. */
export const embedderOptions = () => [
  new Option('--precision <precision>', 'arithmetic of the model').choices(['int8', 'fp32']).default('int8'),
  new Option(
    '--model <model>',
    "an added model's name, or a folder in the hub's layout (default: $EMBEDMILL_MODEL); with --server its name",
  ),
  new Option('--server <url>', 'embed at a running producer (default: in this process)'),
];
