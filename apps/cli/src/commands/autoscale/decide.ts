/**
 * Decides when to change the number of workers: out at once, in after a cool-down.
 * Decision: docs/decisions/0040.
 */

/** One observation. */
export interface ScaleObservation {
  /** Time on a monotonic clock, in ms. */
  atMs: number;
  /** Workers that the producer wants. */
  wanted: number;
  /** Running workers. */
  running: number;
}

/** Limits of the decision. */
export interface ScaleLimits {
  /** Minimum workers. */
  min: number;
  /** Maximum workers. */
  max: number;
  /** How long fewer workers must be wanted before scaling in. */
  coolDownMs: number;
}

/** A period in which fewer workers are wanted than are running. */
export interface CoolDown {
  /** Start of the period, on the clock of the observations. */
  sinceMs: number;
  /** Maximum wanted during the period: the target of scaling in. */
  maxWanted: number;
}

/** The decision. `wait`: scale in to `to` after `leftMs`, unless more workers are wanted by then. */
export type ScaleDecision =
  | { kind: 'keep' }
  | { kind: 'out' | 'in'; to: number }
  | { kind: 'wait'; to: number; leftMs: number };

/**
 * Decides on one observation. Pass the returned cool-down to the next call; it is `null` at first.
 *
 * A missing worker delays work, an extra one costs memory for two minutes. So scaling out is immediate, and
 * scaling in goes to the maximum wanted during the cool-down, not to a dip at its end.
 */
export function decide(
  { atMs, wanted, running }: ScaleObservation,
  { min, max, coolDownMs }: ScaleLimits,
  coolDown: CoolDown | null,
): { decision: ScaleDecision; coolDown: CoolDown | null } {
  const target = Math.min(max, Math.max(min, wanted));
  if (target === running) return { decision: { kind: 'keep' }, coolDown: null };
  if (target > running) return { decision: { kind: 'out', to: target }, coolDown: null };
  // If workers exited, fewer may be running than the cool-down would keep: it starts over then.
  const before =
    coolDown !== null && coolDown.maxWanted < running ? coolDown : { sinceMs: atMs, maxWanted: target };
  const now: CoolDown = { sinceMs: before.sinceMs, maxWanted: Math.max(before.maxWanted, target) };
  const leftMs = now.sinceMs + coolDownMs - atMs;
  if (leftMs > 0) return { decision: { kind: 'wait', to: now.maxWanted, leftMs }, coolDown: now };
  return { decision: { kind: 'in', to: now.maxWanted }, coolDown: null };
}
