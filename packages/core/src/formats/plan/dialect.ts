/** Finds out how CSV and TSV are split: the delimiter, the quote, and whether the first record is a header. */

import { isUtf8 } from 'node:buffer';
import { isDelimiterLine, splitFields } from '../rows/csv.ts';
import { splitterFor } from '../rows/read.ts';
import type { RawRecord } from '../rows/record.ts';
import type { RowSettings } from '../rows/types.ts';
import { describeColumn } from './columns.ts';
import type { PlanChoices } from './types.ts';

/** The fields of a sample under a dialect. */
export interface SplitSample {
  delimiter: string;
  quote: string | null;
  /** The first record, which may be a header. */
  first: RawRecord | undefined;
  /** Fields of the whole records that can be read, from the first on. */
  records: string[][];
  /** Share of the records with as many fields as the first, from 0 to 1; 0 for a single column. */
  agreement: number;
  /** Whether the fields show that they are columns, even if a record of a small file is broken. */
  hasColumns: boolean;
  /** Whether every record has one field. */
  isSingle: boolean;
  /**
   * Fields of every record but the first, if that has one field under this or another delimiter and the others
   * have as many as each other; else 0.
   */
  hiddenWidth: number;
}

/** Records that are examined. */
const MAX_RECORDS = 2_000;

/** Delimiters in the order of preference. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Agreement from which another delimiter than the expected one is chosen. */
const MIN_AGREEMENT = 0.8;

/** The same for fields that show that they are columns: one of two records below the header may be broken. */
const MIN_COLUMNS_AGREEMENT = 0.5;

/** Records below the first that are compared with it. */
const MAX_COMPARED = 200;

const MAX_NAME_WORDS = 5;
const MAX_SHORT_NAME_WORDS = 3;

/** A name of a column: a few words that start with a letter. */
const NAME = /^[\p{L}_#][\p{L}\p{M}\p{N}_ ./()[\]#%-]{0,63}$/u;

/**
 * The best way to split a sample; choices of the user are kept.
 * @param text the sample in UTF-8
 * @param format `csv` expects a comma and quotes, `tsv` a tab and no quotes
 */
export function splitSample(
  text: Buffer,
  format: 'csv' | 'tsv',
  settings: RowSettings,
  choices: PlanChoices,
  complete: boolean,
): SplitSample {
  const expected = format === 'csv' ? ',' : '\t';
  const delimiters = choices.delimiter !== undefined ? [choices.delimiter] : DELIMITERS;
  const possible = choices.quote !== undefined ? [choices.quote] : quotesFor(format, text);
  const distinct = possible.filter((quote) => quote !== choices.delimiter);
  const quotes = distinct.length > 0 ? distinct : [null];
  const delimiterLine = /^"?sep=([^\r\n])"?[\r\n]/.exec(text.toString('latin1', 0, 16));
  if (choices.delimiter === undefined && delimiterLine?.[1] !== undefined) {
    return split(text, { ...settings, delimiter: delimiterLine[1], quote: quotes[0] ?? null }, complete);
  }
  const found = delimiters.flatMap((delimiter) =>
    quotes.map((quote) => split(text, { ...settings, delimiter, quote }, complete)),
  );
  const preferred = found.find(({ delimiter }) => delimiter === expected) ?? found[0];
  if (preferred === undefined) throw new Error('internal error: no delimiter to examine');
  const hasText = ({ records }: SplitSample) =>
    records[0]?.some((name) => name.trim().toLowerCase() === settings.textField.toLowerCase()) ?? false;
  let best = preferred;
  for (const one of found) {
    const minAgreement = one.hasColumns ? MIN_COLUMNS_AGREEMENT : MIN_AGREEMENT;
    const isSure = one.agreement >= minAgreement || (hasText(one) && one.agreement > 0);
    const isBetter = hasText(one) === hasText(best) ? one.agreement > best.agreement : hasText(one);
    if (isSure && isBetter) best = one;
  }
  if (choices.quote === undefined && best.quote === null && isQuoted(best.records)) {
    const quoted = found.find(({ delimiter, quote }) => delimiter === best.delimiter && quote === '"');
    if (quoted !== undefined && quoted.agreement >= best.agreement) best = quoted;
  }
  // Prose with commas under a header of one column is split by none of them.
  if (best.agreement === 0) {
    const single = found.find(({ isSingle }) => isSingle) ?? best;
    const hiddenWidth = Math.max(...found.map((one) => one.hiddenWidth));
    return choices.delimiter === undefined ? { ...single, hiddenWidth } : single;
  }
  return best;
}

/**
 * Whether fields without quoting look as if they had been written with it, as by pandas: every quote encloses
 * a field, and one contains a doubled quote or all fields of a column are quoted.
 */
function isQuoted(records: readonly (readonly string[])[]): boolean {
  const quoted = records.flat().filter((field) => field.startsWith('"'));
  if (quoted.length === 0 || !quoted.every((field) => /^"(?:[^"]|"")*"$/.test(field))) return false;
  if (quoted.some((field) => field.slice(1, -1).includes('""'))) return true;
  const [first = [], ...rest] = records;
  return first.some((name, n) => {
    const values = rest.map((fields) => fields[n] ?? '').filter((field) => field !== '');
    const isAll = values.length > 0 && values.every((field) => field.startsWith('"'));
    // One quoted value may be a quotation.
    return isAll && (values.length > 1 || name.startsWith('"'));
  });
}

/** The quotes to try: those that occur at the start of a field, the usual one first. */
function quotesFor(format: 'csv' | 'tsv', text: Buffer): (string | null)[] {
  const starts = text.toString('latin1', 0, 64 * 1024);
  const hasSingle = /(^|[,;|\t\r\n])'[^'\r\n]*'([,;|\t\r\n]|$)/.test(starts);
  // Without quoting, the quotes around the fields of a CSV file would become part of its texts.
  const usual = format === 'csv' ? ['"'] : [null, '"'];
  return hasSingle ? [...usual, "'"] : usual;
}

function split(text: Buffer, settings: RowSettings, complete: boolean): SplitSample {
  const records = wholeRecords(text, settings, complete).filter(({ bytes }) => bytes.length > 0);
  if (isDelimiterLine(records[0])) records.shift();
  const examined = records.slice(0, MAX_RECORDS);
  const sound = examined.filter(({ fault, bytes }) => fault === null && isUtf8(bytes));
  const fields = splitFields(sound, settings);
  const width = fields[0]?.length ?? 0;
  const rest = fields.slice(1);
  const agreeing = rest.filter((one) => one.length === width || isPadded(one, width)).length;
  const agreement = width < 2 ? 0 : (agreeing + 1) / Math.max(1, examined.length);
  const isSingle =
    examined.length > 0 && fields.length === examined.length && fields.every(({ length }) => length === 1);
  const widths = new Set(rest.map(({ length }) => length));
  const [restWidth = 0] = widths;
  // A blank follows the commas of prose.
  const isSplit = rest.some((fields) => fields.slice(1).some((field) => !field.startsWith(' ')));
  const hiddenWidth = width === 1 && widths.size === 1 && restWidth > 1 && isSplit ? restWidth : 0;
  return {
    delimiter: settings.delimiter,
    quote: settings.quote,
    first: records[0],
    records: fields,
    agreement,
    hasColumns: hasColumns(fields),
    isSingle,
    hiddenWidth,
  };
}

/**
 * Whether the first record has names only, as no sentence has them, or one of at least two columns holds values
 * only.
 */
function hasColumns(records: readonly (readonly string[])[]): boolean {
  const [first = [], ...rest] = records;
  if (first.length < 2) return false;
  if (new Set(first).size === first.length && first.every((name) => isShortName(name))) return true;
  return rest.length > 0 && first.some((_, n) => records.every((fields) => isValue([fields[n] ?? ''])));
}

/** A name of up to three words without blanks around it, which prose has behind its commas. */
function isShortName(name: string): boolean {
  return isName(name) && name === name.trim() && name.split(' ').length <= MAX_SHORT_NAME_WORDS;
}

function isPadded(fields: readonly string[], width: number): boolean {
  return fields.length > width && fields.slice(width).every((field) => field === '');
}

/** The records of a sample; of a part of the input, without the last one, which may be cut. */
export function wholeRecords(text: Buffer, settings: RowSettings, complete: boolean): RawRecord[] {
  const splitter = splitterFor(settings);
  const records = splitter.push(text);
  return complete ? [...records, ...splitter.end()] : records;
}

/**
 * Whether the first record names the columns: it holds the wanted text column; or none of its fields is a value,
 * and a column below holds numbers or times; or, if all columns hold text, its fields are a few words each and
 * do not occur below.
 */
export function hasHeader(records: readonly (readonly string[])[], textField: string): boolean {
  const [first = [], ...rest] = records;
  const names = first.map((name) => name.trim());
  if (names.some((name) => name.toLowerCase() === textField.toLowerCase())) return true;
  const given = names.filter((name) => name !== '');
  if (given.length === 0 || given.some((name) => isValue([name]))) return false;
  const columns = names.map((_, n) => rest.slice(0, MAX_COMPARED).map((fields) => fields[n]?.trim() ?? ''));
  if (columns.some((values) => isValue(values))) return true;
  return names.every((name, n) => name === '' || (isName(name) && !columns[n]?.includes(name)));
}

/** Whether all values are numbers, times or truth values. */
function isValue(values: readonly string[]): boolean {
  const { type } = describeColumn('', values);
  return type === 'integer' || type === 'number' || type === 'time' || type === 'boolean';
}

function isName(name: string): boolean {
  return NAME.test(name) && name.split(/\s+/).length <= MAX_NAME_WORDS && !/[.!?。！？]$/.test(name);
}
