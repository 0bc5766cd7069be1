/** The options that say how inputs are read, and the options that a plan proposes. */

import type { PlanChoices, RowFormat } from '@embedmill/core/formats';

/** The options as commander passes them. */
export interface TextsFlags {
  query?: string;
  text?: string;
  id?: string;
  format?: RowFormat;
  delimiter?: string;
  /** `none` for no quoting. */
  quote?: string;
  header?: boolean;
  charset?: string;
}

/** What the user decided. */
export function choicesFrom(flags: TextsFlags): PlanChoices {
  return {
    format: flags.format,
    textField: flags.text,
    idField: flags.id,
    delimiter: flags.delimiter,
    quote: flags.quote === 'none' ? null : flags.quote,
    header: flags.header,
    charset: flags.charset,
  };
}

/** The options that make these choices, as a user would type them. */
export function flagsFor(choices: PlanChoices): string {
  const { format, textField, idField, delimiter, quote, header, charset } = choices;
  const flags: string[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined) flags.push(`--${name} ${shellWord(value)}`);
  };
  add('format', format);
  add('charset', charset);
  add('delimiter', delimiter === '\t' ? '\\t' : delimiter);
  add('quote', quote === null ? 'none' : quote);
  if (header !== undefined) flags.push(header ? '--header' : '--no-header');
  add('text', textField);
  add('id', idField);
  return flags.join(' ');
}

/** Quotes a word for a POSIX shell if necessary. */
function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
