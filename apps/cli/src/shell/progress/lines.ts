/** Progress in a file, a pipe or CI: a plain line every few seconds. */

import { escapeControls } from '@embedmill/contract';
import { printable } from '../terminal/lines.ts';
import { describePercent, describeRows, describeSpeed, describeVerdicts } from './describe.ts';
import type { ProgressDisplay, ProgressSnapshot } from './types.ts';

/** Minimum time between two lines. */
const INTERVAL_MS = 5_000;

/** One line, for example `43%  1,712/4,000 rows  214 rows/s  25.3k tokens/s  ETA 0:11`. */
export function plainLine(snapshot: ProgressSnapshot): string {
  const { rows, tokens, eta } = describeSpeed(snapshot);
  const wait = snapshot.waitingFor === null ? '' : `waiting: ${escapeControls(snapshot.waitingFor)}`;
  return [
    describePercent(snapshot),
    describeRows(snapshot),
    rows,
    tokens,
    eta,
    describeVerdicts(snapshot),
    wait,
  ]
    .filter((segment) => segment !== '')
    .join('  ');
}

/** Writes lines to a stream: the first after one interval, then one per interval. */
export class LineDisplay implements ProgressDisplay {
  readonly #stream: { write(text: string): unknown };
  readonly #now: () => number;
  #nextAt: number | null = null;

  /** @param now a monotonic clock in milliseconds */
  constructor(stream: { write(text: string): unknown }, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  show(snapshot: ProgressSnapshot): void {
    const now = this.#now();
    this.#nextAt ??= now + INTERVAL_MS;
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    this.#stream.write(`${plainLine(snapshot)}\n`);
  }

  note(line: string): void {
    this.#stream.write(`${printable(line)}\n`);
  }

  warn(line: string): void {
    this.note(line);
  }

  end(): void {
    this.#nextAt = null;
  }
}
