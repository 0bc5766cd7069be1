/** Draws the points of a map, finds the one under the pointer, and takes a lasso. */

import { polygonContains } from 'd3-polygon';
import { quadtree } from 'd3-quadtree';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useTheme } from '../theme.ts';
import { groupColor } from './colors.ts';
import type { PointGroups } from './labels.ts';
import type { PlacedRows } from './protocol.ts';

type Point = [x: number, y: number];

const HEIGHT_PX = 460;
const MARGIN_PX = 12;

/** A pointer this near to a dot is on it. */
const REACH_PX = 8;

/** A shorter way of the pointer is a click. */
const SHORTEST_LASSO_POINTS = 4;

export function PointCanvas({
  placed,
  groups,
  selected,
  onHover,
  onSelect,
}: {
  placed: PlacedRows;
  /** What the colours tell apart. */
  groups: PointGroups;
  selected: readonly number[];
  onHover: (row: number | null) => void;
  onSelect: (rows: readonly number[]) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [width, setWidth] = useState(600);
  // The pointer moves more often than the page is drawn, so the way itself is not a state.
  const way = useRef<Point[]>([]);
  const [lasso, setLasso] = useState<readonly Point[]>([]);
  const goOn = (points: Point[]) => {
    way.current = points;
    setLasso(points);
  };
  const points = useMemo(() => pointsIn(placed, width), [placed, width]);
  const tree = useMemo(
    () =>
      quadtree<number>(
        [...points.keys()],
        (row) => points.get(row)![0],
        (row) => points.get(row)![1],
      ),
    [points],
  );

  useEffect(() => {
    const element = canvas.current!;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth || 600));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  useEffect(
    () => draw(canvas.current!, { groups, points, selected, lasso, width }),
    [groups, points, selected, lasso, width, theme],
  );

  const at = (event: PointerEvent): Point => [event.offsetX, event.offsetY];
  return (
    <canvas
      ref={canvas}
      class="map-canvas"
      role="img"
      aria-label={`Map of ${points.size} texts in ${groups.names.length} groups; the list beside it selects them.`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        goOn([at(event)]);
      }}
      onPointerMove={(event) => {
        if (way.current.length > 0) goOn([...way.current, at(event)]);
        else onHover(tree.find(...at(event), REACH_PX) ?? null);
      }}
      onPointerLeave={() => onHover(null)}
      onPointerUp={(event) => {
        const around = way.current;
        goOn([]);
        if (around.length >= SHORTEST_LASSO_POINTS) {
          onSelect([...points].flatMap(([row, point]) => (polygonContains(around, point) ? [row] : [])));
          return;
        }
        const hit = tree.find(...at(event), REACH_PX);
        onSelect(hit === undefined ? [] : [hit]);
      }}
    />
  );
}

/** Where each row with a vector stands on the canvas. */
function pointsIn({ x, y }: PlacedRows, width: number): Map<number, Point> {
  const rows = Array.from(x.keys()).filter((row) => !Number.isNaN(x[row]!));
  const bounds = (values: Float32Array) => {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const row of rows) {
      min = Math.min(min, values[row]!);
      max = Math.max(max, values[row]!);
    }
    return { min, span: Math.max(max - min, 1e-6) };
  };
  const [across, down] = [bounds(x), bounds(y)];
  const inner = { width: width - 2 * MARGIN_PX, height: HEIGHT_PX - 2 * MARGIN_PX };
  return new Map(
    rows.map((row): [number, Point] => [
      row,
      [
        MARGIN_PX + (inner.width * (x[row]! - across.min)) / across.span,
        MARGIN_PX + (inner.height * (y[row]! - down.min)) / down.span,
      ],
    ]),
  );
}

function draw(
  canvas: HTMLCanvasElement,
  {
    groups,
    points,
    selected,
    lasso,
    width,
  }: {
    groups: PointGroups;
    points: ReadonlyMap<number, Point>;
    selected: readonly number[];
    lasso: readonly Point[];
    width: number;
  },
): void {
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = HEIGHT_PX * scale;
  const pen = canvas.getContext('2d')!;
  pen.scale(scale, scale);
  const chosen = new Set(selected);
  const radius = points.size > 5000 ? 1.6 : 2.8;
  for (const [row, [x, y]] of points) {
    pen.globalAlpha = chosen.size === 0 ? 0.75 : chosen.has(row) ? 1 : 0.12;
    pen.fillStyle = groupColor(groups.groupOf[row]!);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }
  if (lasso.length < 2) return;
  pen.globalAlpha = 1;
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.setLineDash([5, 4]);
  pen.beginPath();
  for (const [x, y] of lasso) pen.lineTo(x, y);
  pen.closePath();
  pen.stroke();
}
