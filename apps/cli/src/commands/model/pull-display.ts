/** Shows how far a pull is: one line redrawn in place on a terminal, else a line every few seconds. */

import type { PullProgress } from '@embedmill/core/hub';
import { type InstalledModel, type PullModelOptions, pullModel } from '@embedmill/worker/pull-model';
import { interruptionSignal } from '../../shell/interruption.ts';
import { printable } from '../../shell/terminal/lines.ts';
import { formatBytes, formatClock } from '../../shell/terminal/numbers.ts';

/** Minimum time between two updates. */
const TERMINAL_MS = 100;
const LINES_MS = 5_000;
const MIN_SECONDS = 1;

/** A display for one pull. */
interface PullDisplay {
  show(progress: PullProgress): void;
  /** Ends with the cursor on an empty line. */
  end(): void;
}

/** Opens the display on stderr. */
function openPullDisplay(stderr: NodeJS.WriteStream, isQuiet: boolean): PullDisplay {
  const isTerminal = stderr.isTTY === true;
  let nextAt = performance.now() + (isTerminal ? 0 : LINES_MS);
  let first: { at: number; bytes: number } | null = null;
  let isDrawn = false;
  return {
    show: (progress) => {
      const now = performance.now();
      first ??= { at: now, bytes: progress.bytesDone };
      if (isQuiet || now < nextAt) return;
      nextAt = now + (isTerminal ? TERMINAL_MS : LINES_MS);
      const line = printable(describePull(progress, (now - first.at) / 1000, first.bytes));
      if (!isTerminal) return void stderr.write(`${line}\n`);
      isDrawn = true;
      stderr.write(`\r\u001b[K${line.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`);
    },
    end: () => {
      if (isDrawn) stderr.write('\r\u001b[K');
      isDrawn = false;
    },
  };
}

/**
 * Pulls a model with its display on stderr; an interruption says how to continue.
 * @throws the errors of `pullModel`
 */
export async function pullWithDisplay(
  options: Omit<PullModelOptions, 'onProgress' | 'signal'>,
  stderr: NodeJS.WriteStream,
  isQuiet: boolean,
): Promise<InstalledModel> {
  const display = openPullDisplay(stderr, isQuiet);
  try {
    return await pullModel({
      ...options,
      onProgress: (progress) => display.show(progress),
      signal: interruptionSignal(() => {
        display.end();
        stderr.write('Stopping; run the same command again to continue.\n');
      }),
    });
  } finally {
    display.end();
  }
}

/**
 * One line, such as `43%  203 MB of 471 MB  11.2 MB/s  ETA 0:24  model.safetensors`.
 * @param seconds since the first byte of this pull
 * @param bytesBefore bytes that an earlier pull has left
 */
export function describePull(
  { path, bytesDone, bytesTotal }: PullProgress,
  seconds: number,
  bytesBefore: number,
): string {
  const percent = bytesTotal === 0 ? 100 : Math.floor((100 * bytesDone) / bytesTotal);
  const speed = seconds < MIN_SECONDS ? 0 : (bytesDone - bytesBefore) / seconds;
  const rate =
    speed > 0 ? [`${formatBytes(speed)}/s`, `ETA ${formatClock((bytesTotal - bytesDone) / speed)}`] : [];
  return [`${percent}%`, `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`, ...rate, path].join('  ');
}
