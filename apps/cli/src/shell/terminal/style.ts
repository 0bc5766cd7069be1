/** Terminal colours, unless `NO_COLOR` is set or the output is not a terminal. */

import { styleText } from 'node:util';
import type { Environment } from '@embedmill/core/process';

/** Styles by purpose. */
export type Style = 'good' | 'warning' | 'bad' | 'quiet' | 'strong' | 'bar';

/** Formats of `styleText`. */
const FORMATS = {
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
  bar: 'cyan',
} as const;

/** Adds a style to a text, or returns it unchanged. */
export type Paint = (style: Style, text: string) => string;

/** The styling of a stream: none unless it is a terminal and `NO_COLOR` is unset or empty (no-color.org). */
export function paintFor(stream: { isTTY?: boolean }, environment: Environment): Paint {
  const isPlain = stream.isTTY !== true || (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  if (isPlain) return (_style, text) => text;
  // Node's own check would examine stdout, whatever the stream.
  return (style, text) => styleText(FORMATS[style], text, { validateStream: false });
}
