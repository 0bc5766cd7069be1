/** Reads the numbers and dates that the values of a column may be written as. */

import type { KeptValue } from '@embedmill/contract';

/** A decimal number, with an optional exponent, or with commas between groups of thousands. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const GROUPED_NUMBER = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
/** Codes such as `00123` are not numbers. */
const CODE = /^[+-]?0\d/;

/** The number that a value is, or NaN. */
export function parseNumber(value: KeptValue): number {
  if (typeof value !== 'string') return typeof value === 'number' ? value : Number.NaN;
  const text = value.trim();
  if (CODE.test(text)) return Number.NaN;
  if (NUMBER.test(text)) return finite(Number(text));
  return GROUPED_NUMBER.test(text) ? Number(text.replaceAll(',', '')) : Number.NaN;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

/** Order of the first two numbers in dates such as `03/04/2025`. */
export type DateOrder = 'month-first' | 'day-first';

const TIME = String.raw`(?:(?:[T ]|, ?)(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?(?: ?(?<half>[AP]M))?)?`;
const ZONE = String.raw`(?: ?(?<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?`;
const WEEKDAY = `(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?`;

/** `2025-03-04`, `2025/03/04`, `2025-03`. */
const YEAR_FIRST = dateForm(String.raw`(?<year>\d{4})[-/](?<month>\d{1,2})(?:[-/](?<day>\d{1,2}))?`);
/** `04.03.2025`. */
const DOTTED = dateForm(String.raw`(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})`);
/** `03/04/2025` and `03-04-2025`, whose order depends on the column. */
const ORDERED = dateForm(String.raw`(?<first>\d{1,2})[-/](?<other>\d{1,2})[-/](?<year>\d{4})`);
/** `4 March 2025`, `04-Mar-2025`, `Tue, 04 Mar 2025`. */
const DAY_NAME = dateForm(
  String.raw`${WEEKDAY}(?<day>\d{1,2})[ -](?<name>[a-z]{3,9})\.?,?[ -](?<year>\d{4})`,
);
/** `March 4, 2025`. */
const NAME_DAY = dateForm(String.raw`${WEEKDAY}(?<name>[a-z]{3,9})\.? (?<day>\d{1,2}),? (?<year>\d{4})`);

const FORMS = [YEAR_FIRST, DOTTED, ORDERED, DAY_NAME, NAME_DAY];

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Maximum length of a date; longer values are not tried. */
const MAX_DATE_CHARS = 48;
const MINUTE_MS = 60_000;

function dateForm(date: string): RegExp {
  return new RegExp(`^${date}${TIME}${ZONE}$`, 'i');
}

/** The date that a value is, in milliseconds since 1970, or NaN. Dates without a zone are in UTC. */
export function parseDate(value: KeptValue, order: DateOrder = 'month-first'): number {
  if (typeof value !== 'string' || value.length > MAX_DATE_CHARS) return Number.NaN;
  const text = value.trim();
  // Most values are not dates, and most dates begin with a digit.
  if (!/\d{4}/.test(text)) return Number.NaN;
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups !== undefined) return timeOf(groups, order);
  }
  return Number.NaN;
}

function timeOf(groups: Record<string, string | undefined>, order: DateOrder): number {
  const given = (name: string) => Number(groups[name] ?? 0);
  let [month, day] = order === 'month-first' ? ['first', 'other'] : ['other', 'first'];
  if (groups.first === undefined) [month, day] = ['month', 'day'];
  const monthNumber =
    groups.name === undefined ? given(month!) : MONTHS.indexOf(groups.name.slice(0, 3).toLowerCase()) + 1;
  const dayNumber = groups[day!] === undefined ? 1 : given(day!);
  const hour = hourOf(given('hour'), groups.half?.toUpperCase());
  const year = given('year');
  if (monthNumber < 1 || monthNumber > 12 || hour > 23 || given('minute') > 59 || given('second') > 59)
    return Number.NaN;
  const date = new Date(Date.UTC(year, monthNumber - 1, dayNumber));
  // Years below 100 are of the 20th century in `Date.UTC`.
  if (year < 100 || date.getUTCMonth() !== monthNumber - 1 || date.getUTCDate() !== dayNumber)
    return Number.NaN;
  const fractionMs = Math.floor(Number(`0.${groups.fraction ?? 0}`) * 1000);
  return (
    date.getTime() +
    ((hour * 60 + given('minute')) * 60 + given('second')) * 1000 +
    fractionMs -
    zoneMinutes(groups.zone) * MINUTE_MS
  );
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (half === 'PM' ? 12 : 0);
}

function zoneMinutes(zone: string | undefined): number {
  const parts = /^(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2})$/.exec(zone ?? '')?.groups;
  if (parts === undefined) return 0;
  return (parts.sign === '-' ? -1 : 1) * (Number(parts.hours) * 60 + Number(parts.minutes));
}
