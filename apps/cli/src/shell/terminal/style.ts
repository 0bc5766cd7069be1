/** Colours, where a terminal can show them and nobody asked for none. */

import { styleText } from 'node:util';
import type { Environment } from '@embedmill/core/process';

/** The few looks the command uses. */
export type Look = 'good' | 'warning' | 'bad' | 'quiet' | 'strong' | 'bar';

const FORMATS = {
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
  bar: 'cyan',
} as const;

/** Paints a text, or leaves it as it is. */
export type Paint = (look: Look, text: string) => string;

/** How to paint on `stream`: not at all unless it is a terminal and `NO_COLOR` is unset or empty (no-color.org). */
export function paintFor(stream: { isTTY?: boolean }, environment: Environment): Paint {
  const isPlain = stream.isTTY !== true || (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  if (isPlain) return (_look, text) => text;
  // Node's own check looks at stdout, whatever we write to.
  return (look, text) => styleText(FORMATS[look], text, { validateStream: false });
}
