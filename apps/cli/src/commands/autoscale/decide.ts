/** When to change the number of workers: out at once, in only after a calm; `follow.ts` asks at every look. */

/** What one look shows. */
export interface Sight {
  /** Milliseconds of a clock that only goes forward. */
  atMs: number;
  /** Workers that the producer asks for. */
  wanted: number;
  /** Workers that run. */
  running: number;
}

/** What the decision may do. */
export interface ScaleLimits {
  least: number;
  most: number;
  /** Time for which fewer workers must have been asked for before any is taken away. */
  coolDownMs: number;
}

/** A time during which fewer workers were asked for than run. */
export interface Calm {
  sinceMs: number;
  /** The most that was asked for meanwhile: what the fleet shrinks to. */
  most: number;
}

/** `wait`: fewer would do, and will be set to `to` in `leftMs` unless more are asked for until then. */
export type Decision =
  | { kind: 'keep' }
  | { kind: 'out' | 'in'; to: number }
  | { kind: 'wait'; to: number; leftMs: number };

/**
 * Decides on one look; the calm goes from one call to the next and is `null` at first.
 *
 * A worker too few makes people wait, a worker too many costs memory for two minutes: so growth is not delayed, and a fleet
 * shrinks to the most that was asked for during the calm, not to a dip at its end.
 */
export function decide(
  { atMs, wanted, running }: Sight,
  { least, most, coolDownMs }: ScaleLimits,
  calm: Calm | null,
): { decision: Decision; calm: Calm | null } {
  const target = Math.min(most, Math.max(least, wanted));
  if (target === running) return { decision: { kind: 'keep' }, calm: null };
  if (target > running) return { decision: { kind: 'out', to: target }, calm: null };
  // Workers that ended by themselves may leave fewer than the calm would keep: it begins anew then.
  const before = calm !== null && calm.most < running ? calm : { sinceMs: atMs, most: target };
  const now: Calm = { sinceMs: before.sinceMs, most: Math.max(before.most, target) };
  const leftMs = now.sinceMs + coolDownMs - atMs;
  if (leftMs > 0) return { decision: { kind: 'wait', to: now.most, leftMs }, calm: now };
  return { decision: { kind: 'in', to: now.most }, calm: null };
}
