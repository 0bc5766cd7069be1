/** Describes columns by the values of a sample, and chooses those that hold prose. */

import type { ColumnType, PlanColumn } from './types.ts';

/** Names that texts usually have, the most telling first. */
const TEXT_NAMES = [
  'text',
  'content',
  'body',
  'document',
  'review',
  'comment',
  'message',
  'description',
  'abstract',
  'sentence',
  'question',
  'title',
];

const ID_NAME = /(^|[_\s.-])(id|uuid|guid|key|sku|asin|isbn|hash|url|uri|link|path|file)s?$|[a-z](Id|ID)$/i;

const INTEGER = /^[+-]?\d{1,30}$/;
const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$/;
const BOOLEAN = /^(true|false)$/i;
const TIME =
  /^\d{4}-\d\d?-\d\d?([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$|^\d\d?[./]\d\d?[./]\d{2,4}$/;

/** Maximum characters of an id. */
const MAX_ID_CHARS = 128;

/** Describes a column by its values; absent, null and empty ones count as missing. */
export function describeColumn(name: string, values: readonly unknown[]): PlanColumn {
  const present = values.filter((value) => value !== null && value !== undefined && value !== '');
  const texts = present.filter((value) => typeof value !== 'object').map(String);
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  const type = typeOf(present);
  return {
    name,
    type,
    isProse: type === 'text' && isProse(name, texts),
    isUnique:
      present.length > 0 &&
      texts.length === values.length &&
      new Set(texts).size === texts.length &&
      texts.every((text) => text.length <= MAX_ID_CHARS),
    meanChars: texts.length === 0 ? 0 : Math.round((10 * chars) / texts.length) / 10,
  };
}

/** The type that all values share; strings are examined, as CSV has nothing else. */
function typeOf(values: readonly unknown[]): ColumnType {
  let type: ColumnType = null;
  for (const value of values) {
    const own = typeOfValue(value);
    if (type === null || type === own) type = own;
    else if ((type === 'integer' && own === 'number') || (type === 'number' && own === 'integer'))
      type = 'number';
    else if (isScalar(type) && isScalar(own)) type = 'text';
    else return 'mixed';
  }
  return type;
}

function isScalar(type: ColumnType): boolean {
  return type !== 'list' && type !== 'object' && type !== 'mixed';
}

function typeOfValue(value: unknown): ColumnType {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'object') return 'object';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  const text = String(value).trim();
  if (text === '' || !/\d|true|false/i.test(text)) return 'text';
  if (INTEGER.test(text)) return 'integer';
  if (NUMBER.test(text)) return 'number';
  if (BOOLEAN.test(text)) return 'boolean';
  return TIME.test(text) ? 'time' : 'text';
}

/** Whether values are sentences: words with letters, and not codes or addresses. */
function isProse(name: string, texts: readonly string[]): boolean {
  if (ID_NAME.test(name)) return false;
  const prose = texts.filter((text) => isSentence(text)).length;
  return prose * 2 > texts.length;
}

/** At least two words, or one in a script without spaces. */
function isSentence(text: string): boolean {
  if (/^\s*(\w+:\/\/|[\w.+-]+@[\w-]+\.)\S*\s*$/.test(text)) return false;
  const words = text.match(/\p{L}[\p{L}\p{M}'’]*/gu) ?? [];
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  const isUnspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]{2}/u.test(text);
  return letters * 2 > text.trim().length * 0.8 && (words.length > 1 || isUnspaced);
}

/**
 * The column to propose for the text: one that is called as wanted except for case, else one that holds prose,
 * preferably with a usual name, else the longest. Never a column of ids, numbers or delimiters; `null` if none
 * is sure.
 */
export function proseColumn(columns: readonly PlanColumn[], wanted: string): string | null {
  const texts = columns.filter(({ type, name }) => type === 'text' && !ID_NAME.test(name));
  const same = texts.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (same.length === 1) return same[0]?.name ?? null;
  const rank = (name: string) => {
    const words = name.toLowerCase().split(/[^\p{L}]+/u);
    const found = TEXT_NAMES.findIndex((known) =>
      words.some((word) => word === known || word === `${known}s`),
    );
    return found === -1 ? TEXT_NAMES.length : found;
  };
  const prose = texts.filter(({ isProse }) => isProse);
  const isKnown = (column: PlanColumn) => rank(column.name) < TEXT_NAMES.length;
  // Of several texts the longer one says more: a review has a title too.
  const longest = (of: readonly PlanColumn[]) =>
    of.toSorted((a, b) => b.meanChars - a.meanChars)[0]?.name ?? null;
  const known = texts.filter(isKnown).toSorted((a, b) => rank(a.name) - rank(b.name));
  if (prose.length > 0) {
    const best = longest(prose);
    const named = known.find((column) => prose.includes(column));
    const bestChars = prose.find(({ name }) => name === best)?.meanChars ?? 0;
    return named !== undefined && named.meanChars * 2 >= bestChars ? named.name : best;
  }
  return known.length > 0 ? (known[0]?.name ?? null) : null;
}

/** The column to propose for the id: unique, and called like one. */
export function idColumn(columns: readonly PlanColumn[], wanted: string): string | null {
  const unique = columns.filter(({ isUnique, isProse }) => isUnique && !isProse);
  const same = unique.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  return (same ?? unique.find(({ name }) => ID_NAME.test(name)))?.name ?? null;
}
