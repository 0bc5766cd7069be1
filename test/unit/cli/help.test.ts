/** The help of every command: its width, its style and the defaults it states. */

import { PassThrough } from 'node:stream';
import type { Environment } from '@embedmill/core/process';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../../apps/cli/src/program.ts';

const COMMANDS = [
  [],
  ...['embed', 'inspect', 'up', 'producer', 'worker', 'autoscale', 'search', 'eval', 'calibrate'].map(
    (name) => [name],
  ),
  ...['cluster', 'map', 'dedupe', 'load', 'verify', 'doctor', 'runs', 'model', 'glossary'].map((name) => [
    name,
  ]),
  ...['list', 'show', 'cancel', 'delete', 'repair'].map((name) => ['runs', name]),
  ...['list', 'info', 'check', 'add'].map((name) => ['model', name]),
  ...['suggest', 'check'].map((name) => ['glossary', name]),
];

/** What `--help` prints. */
async function helpOf(command: readonly string[], environment: Environment = {}): Promise<string> {
  let help = '';
  const stdout = { write: (text: string) => (help += text) } as unknown as NodeJS.WriteStream;
  const context = { environment, stdin: new PassThrough(), stdout, stderr: stdout };
  expect(await runProgram(['node', 'embedmill', ...command, '--help'], context)).toBe(0);
  return help;
}

describe.each(COMMANDS)('embedmill %s %s --help', (...command) => {
  const names = command.filter((name) => typeof name === 'string');

  test('fits into 80 columns', async () => {
    const lines = (await helpOf(names)).split('\n');
    expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
  });

  test('starts with a sentence in the imperative and ends with examples', async () => {
    const [usage, , description, ...rest] = (await helpOf(names)).split('\n');
    expect(usage).toMatch(/^Usage: embedmill/);
    expect(description).toMatch(/^[A-Z][a-z]*[^s ] /);
    expect(rest).toContain('Examples:');
    expect(rest.join('\n')).not.toContain('help [command]');
  });
});

test.each([
  ['embed', 'EMBEDMILL_BATCH_ROWS', '100', '(default: 100, from EMBEDMILL_BATCH_ROWS)'],
  ['embed', 'EMBEDMILL_BATCH_ROWS', '', '(default: as many as take about 0.5 s, or $EMBEDMILL_BATCH_ROWS)'],
  ['worker', 'EMBEDMILL_MODEL', 'bge-small', '(default: bge-small, from EMBEDMILL_MODEL)'],
  ['producer', 'PORT', '9000', '(default: 9000, from PORT)'],
  ['autoscale', 'PORT', '9000', '(default: http://127.0.0.1:9000)'],
])('%s --help states the default in force with %s=%s', async (command, variable, value, expected) => {
  expect((await helpOf([command], { [variable]: value })).replaceAll(/\s+/g, ' ')).toContain(expected);
});

test('the help never shows the URL of Redis, which may hold a password', async () => {
  expect(await helpOf(['worker'], { REDIS_URL: 'redis://:secret@db' })).not.toContain('secret');
});
