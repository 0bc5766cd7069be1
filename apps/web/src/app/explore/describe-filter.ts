/** Filters in words. */

import type { ColumnFilter } from './explore-state.ts';

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** Values that are listed by name; more are counted. */
const MAX_LISTED = 3;

/** Describes a filter: `Dresses, Tops`, `3 to 5`, `from 2024-01-01`. */
export function describeFilter(filter: ColumnFilter, isDate: boolean): string {
  if (filter.kind === 'in') {
    const { values } = filter;
    return values.length > MAX_LISTED ? `${values.length} values` : values.map(shown).join(', ');
  }
  const text = (n: number) => (isDate ? dayOf(n) : number.format(n));
  if (filter.from === null) return `up to ${text(filter.to!)}`;
  return filter.to === null ? `from ${text(filter.from)}` : `${text(filter.from)} to ${text(filter.to)}`;
}

/** The day of a time in ms since 1970 (UTC): `2024-01-31`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Formats a value of a column of numbers. */
export function numberText(n: number): string {
  return number.format(n);
}

function shown(value: string): string {
  return value === '' ? '(empty)' : value;
}
