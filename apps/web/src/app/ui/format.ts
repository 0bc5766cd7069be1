/** Number and time formats of the pages. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Formats an integer: `12,345`. */
export function count(n: number): string {
  return whole.format(n);
}

/** Returns the noun in the singular for 1, otherwise in the plural: `text`, `texts`. */
export function plural(n: number, noun: string): string {
  return n === 1 ? noun : `${noun}s`;
}

/** Formats a rate, with one decimal below 100: `0.4`, `38.2`, `1,240`. */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 100 ? oneDigit.format(perSecond) : whole.format(perSecond);
}

/**
 * Formats `part` of `total` in percent: `3.1 %`. Shares close to 0 or 1 are not rounded to them: `< 0.1 %`.
 */
export function share(part: number, total: number): string {
  if (part === 0 || total === 0) return '0 %';
  const percent = (100 * part) / total;
  if (percent < 0.1) return '< 0.1 %';
  return percent > 99.9 && part < total
    ? '> 99.9 %'
    : `${percent === 100 ? 100 : oneDigit.format(percent)} %`;
}

/** Formats a number of bytes with powers of 1024: `512 KB`, `1.5 GB`. */
export function bytes(n: number): string {
  const step = n < 1 ? 0 : Math.min(Math.floor(Math.log2(n) / 10), UNITS.length - 1);
  const value = n / 1024 ** step;
  return `${value < 10 && step > 0 ? oneDigit.format(value) : whole.format(value)} ${UNITS[step]}`;
}

/** Formats seconds with at most two units: `0.8 s`, `3 min 20 s`, `5 h 12 min`, `2 d 3 h`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${oneDigit.format(seconds)} s`;
  const total = Math.round(seconds);
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ] as const;
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n], i) => n > 0 || i === 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

/** Formats an ISO 8601 time in the locale and time zone of the reader. */
export function moment(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
