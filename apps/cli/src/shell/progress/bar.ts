/** Progress on a terminal: one line, redrawn in place. */

import { escapeControls } from '@embedmill/contract';
import { SingleBar } from 'cli-progress';
import { printable } from '../terminal/lines.ts';
import type { Paint } from '../terminal/style.ts';
import { describePercent, describeRows, describeSpeed, describeVerdicts, fractionDone } from './describe.ts';
import type { ProgressDisplay, ProgressSnapshot } from './types.ts';

const MAX_BAR_CHARS = 32;
const MIN_BAR_CHARS = 8;
const DONE = '█';
const LEFT = '░';
const FRAMES_PER_SECOND = 8;

/**
 * The line for a terminal with `columns`. It never wraps: on narrow terminals tokens/s is dropped first, then
 * rows/s, then the bar.
 */
export function drawLine(snapshot: ProgressSnapshot, columns: number, paint: Paint): string {
  const fraction = fractionDone(snapshot);
  const speed = describeSpeed(snapshot);
  const verdicts = describeVerdicts(snapshot);
  const percent = describePercent(snapshot).padStart(4);
  const tail = snapshot.waitingFor === null ? [] : [`waiting: ${escapeControls(snapshot.waitingFor)}`];
  const candidates = [
    [describeRows(snapshot), speed.rows, speed.tokens, speed.eta, verdicts, ...tail],
    [describeRows(snapshot), speed.rows, speed.eta, verdicts, ...tail],
    [describeRows(snapshot), speed.eta, verdicts, ...tail],
    [describeRows(snapshot), ...tail],
  ].map((segments) => segments.filter((segment) => segment !== ''));
  // One column stays empty, because some terminals wrap after writing the last one.
  const roomFor = (segments: string[]) => columns - 1 - segments.join('  ').length - percent.length - 3;
  const segments = candidates.find((each) => roomFor(each) >= MIN_BAR_CHARS) ?? candidates.at(-1) ?? [];
  const width = Math.min(MAX_BAR_CHARS, roomFor(segments));
  const words = segments.join('  ');
  if (width < MIN_BAR_CHARS) return words.slice(0, Math.max(0, columns - 1));
  const done = Math.floor((fraction ?? 0) * width);
  const bar = `${paint('bar', DONE.repeat(done))}${paint('quiet', LEFT.repeat(width - done))}`;
  const painted = segments.map((segment) => {
    if (segment === verdicts) return paint('warning', segment);
    return segment === tail[0] ? paint('warning', segment) : segment;
  });
  return `${bar} ${percent}  ${painted.join('  ')}`;
}

/** A progress bar on a terminal. */
export class BarDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: SingleBar;
  #latest: ProgressSnapshot | null = null;

  constructor(stream: NodeJS.WriteStream, paint: Paint) {
    this.#stream = stream;
    this.#bar = new SingleBar({
      stream,
      fps: FRAMES_PER_SECOND,
      hideCursor: true,
      clearOnComplete: true,
      format: () => (this.#latest === null ? '' : drawLine(this.#latest, stream.columns ?? 80, paint)),
    });
  }

  show(snapshot: ProgressSnapshot): void {
    const isFirst = this.#latest === null;
    this.#latest = snapshot;
    if (isFirst) this.#bar.start(1, 0);
    else this.#bar.update(0);
  }

  note(line: string): void {
    const snapshot = this.#latest;
    this.end();
    this.#stream.write(`${printable(line)}\n`);
    if (snapshot !== null) this.show(snapshot);
  }

  warn(line: string): void {
    this.note(line);
  }

  end(): void {
    this.#bar.stop();
    this.#latest = null;
  }
}
