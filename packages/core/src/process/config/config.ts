/** Reads the environment once, for every process; nothing else looks at `process.env`. */

import { ConfigError, quote } from '@embedmill/contract';
import { VARIABLES, type Variable } from './variables.ts';

type ValueOf<V> = V extends Variable<infer Value> ? Value : never;

/** All settings, in bytes and milliseconds; absent optional ones are `undefined`. */
export type Config = Readonly<{ [Field in keyof typeof VARIABLES]: ValueOf<(typeof VARIABLES)[Field]> }>;

/** The environment as given to a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Environment → settings. An empty variable counts as unset.
 * @throws {ConfigError} that lists every bad variable, what was given and what is expected.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [field, { name, schema, isSecret }] of Object.entries<Variable<unknown>>(VARIABLES)) {
    const given = environment[name] === '' ? undefined : environment[name];
    const parsed = schema.safeParse(given);
    if (parsed.success) config[field] = parsed.data;
    else
      problems.push(
        `${name}: expected ${parsed.error.issues[0]?.message}, got ${isSecret ? 'something else' : quote(given)}`,
      );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Config;
}

/** docs/configuration.md: one table row per variable. */
export function describeConfig(): string {
  const rows = Object.values(VARIABLES).map(
    ({ name, doc, shownDefault }) =>
      `| \`${name}\` | ${shownDefault === '' ? '' : `\`${shownDefault}\``} | ${doc} |`,
  );
  return [
    '# Configuration',
    '',
    'Every process reads these environment variables once, when it starts. A bad value stops it with one message that lists',
    'all bad ones. An empty variable counts as unset.',
    '',
    '| variable | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
    'This page is made by `npm run docs:configuration`; a test fails when it is out of date.',
    '',
  ].join('\n');
}
