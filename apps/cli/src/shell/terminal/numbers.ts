/** Formats numbers, rates, durations and sizes for people. */

/** `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** A rate with three significant digits: `7.25`, `214`, `25.3k`, `1.20M`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 999_500) return `${threeDigits(perSecond / 1_000_000)}M`;
  if (perSecond >= 999.5) return `${threeDigits(perSecond / 1000)}k`;
  return threeDigits(perSecond);
}

/** Seconds as a clock: `0:09`, `12:30`, `3:00:05`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(rest).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}

/** A duration: `0.8 s`, `42 s`, `12 min 30 s`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** A size: `812 B`, `1.5 kB`, `6.1 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : threeDigits(value)} ${units[unit]}`;
}

/** A count with its noun: `1 row`, `2 rows`, `1,234 rows`. */
export function formatNoun(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function threeDigits(value: number): string {
  if (value === 0) return '0';
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
