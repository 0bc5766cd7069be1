/** Named figures: single values, progress bars and sparklines. */

import type { ComponentChildren } from 'preact';
import { share } from './format.ts';

/** A large value with its name above and a remark below. */
export function Stat({
  name,
  value,
  unit,
  children,
}: {
  name: string;
  value: string;
  unit?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="stat">
      <h3 class="stat-name">{name}</h3>
      <p class="stat-value">
        {value}
        {unit !== undefined && <span class="stat-unit"> {unit}</span>}
      </p>
      <div class="stat-remark">{children}</div>
    </div>
  );
}

/** A bar for `value` out of `whole`; shown as a warning at a share of `warnAt` (0 to 1) or more. */
export function Bar({
  name,
  value,
  whole,
  warnAt = Number.POSITIVE_INFINITY,
}: {
  name: string;
  value: number;
  whole: number;
  warnAt?: number;
}) {
  const part = whole > 0 ? Math.min(1, value / whole) : 0;
  return (
    <div
      class={`bar${part >= warnAt ? ' bar-warn' : ''}`}
      role="progressbar"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * part)}
      aria-valuetext={share(value, whole)}
    >
      <div class="bar-fill" style={{ width: `${100 * part}%` }} />
    </div>
  );
}

/** Recent values as a small line; decorative, since the figure beside it gives the current value. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const top = Math.max(...values, 1e-9);
  const last = Math.max(values.length - 1, 1);
  const points = values.map((value, i) => `${(100 * i) / last},${29 - (28 * value) / top}`);
  return (
    <svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      {points.length > 1 && (
        <>
          <polygon points={`0,30 ${points.join(' ')} 100,30`} />
          <polyline points={points.join(' ')} />
        </>
      )}
    </svg>
  );
}
