/** Chooses the labels of a map that are shown: groups when far out, topics when near, and none over another. */

import { type MapFrame, type MapView, toScreen } from './view.ts';

/** A name at a place of the map. */
export interface MapLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** 0 for a group of topics, 1 for a topic. */
  readonly level: 0 | 1;
  /** Rows that it names; of two labels that overlap, the one with more rows is shown. */
  readonly rows: number;
}

/** A label with its middle and its size on the canvas, in CSS pixels. */
export interface PlacedLabel {
  readonly label: MapLabel;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Scale at which topics take the place of groups. */
const TOPIC_SCALE = 1.7;

/** Space around a label that stays free. */
const GAP_PX = 6;

/** Maximum characters of a label. */
const MAX_CHARS = 34;

/** Height of a label by level. */
const HEIGHT_PX = [20, 17] as const;

/**
 * Returns the labels to show, the most important first. Where the groups leave space, topics are shown too.
 * @param measure width of a text of this level in CSS pixels
 * @param corner size of what covers the top right corner, in CSS pixels; labels move out of it
 */
export function placeLabels(
  labels: readonly MapLabel[],
  frame: MapFrame,
  view: MapView,
  measure: (text: string, level: 0 | 1) => number,
  corner = { width: 0, height: 0 },
): PlacedLabel[] {
  const first = view.scale < TOPIC_SCALE && labels.some(({ level }) => level === 0) ? 0 : 1;
  const ordered = labels
    .filter(({ level }) => first === 0 || level === 1)
    .sort((a, b) => a.level - b.level || b.rows - a.rows);
  const placed: PlacedLabel[] = [];
  for (const label of ordered) {
    const { x, y } = toScreen(frame, view, label.x, label.y);
    if (x < 0 || x > frame.width || y < 0 || y > frame.height) continue;
    const text = cut(label.text);
    const width = measure(text, label.level);
    const height = HEIGHT_PX[label.level];
    const right = y - height / 2 < corner.height ? frame.width - corner.width : frame.width;
    // Labels at the edge move inside.
    const box = {
      label,
      text,
      x: clamp(x, width / 2 + GAP_PX, right - width / 2 - GAP_PX),
      y: clamp(y, height / 2 + GAP_PX, frame.height - height / 2 - GAP_PX),
      width,
      height,
    };
    if (placed.every((other) => !overlaps(box, other))) placed.push(box);
  }
  return placed;
}

function overlaps(a: PlacedLabel, b: PlacedLabel): boolean {
  return (
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 + GAP_PX &&
    Math.abs(a.y - b.y) < (a.height + b.height) / 2 + GAP_PX
  );
}

function cut(text: string): string {
  const characters = [...text];
  return characters.length <= MAX_CHARS
    ? text
    : `${characters
        .slice(0, MAX_CHARS - 1)
        .join('')
        .trimEnd()}…`;
}

function clamp(value: number, min: number, max: number): number {
  return min > max ? (min + max) / 2 : Math.min(max, Math.max(min, value));
}
