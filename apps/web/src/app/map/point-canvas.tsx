/** A canvas with the points of a map; reports the point under the pointer and the points inside a lasso. */

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

/** Maximum distance between the pointer and the point that it hits. */
const HIT_RADIUS_PX = 8;

/** A shorter path of the pointer is a click. */
const MIN_LASSO_POINTS = 4;

/** Renders the canvas. Row numbers are indexes into the arrays of `placed`. */
export function PointCanvas({
  placed,
  groups,
  selected,
  onHover,
  onSelect,
}: {
  placed: PlacedRows;
  /** Determine the colours of the points. */
  groups: PointGroups;
  selected: readonly number[];
  onHover: (row: number | null) => void;
  onSelect: (rows: readonly number[]) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [width, setWidth] = useState(600);
  // The pointer moves more often than the page renders, so the handlers read the path from a ref.
  const path = useRef<Point[]>([]);
  const [lasso, setLasso] = useState<readonly Point[]>([]);
  const updatePath = (points: Point[]) => {
    path.current = points;
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

  const drawOrder = useMemo(() => rowsInDrawOrder(points, groups), [points, groups]);

  useEffect(() => {
    const element = canvas.current!;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth || 600));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  useEffect(
    () => draw(canvas.current!, { groups, points, drawOrder, selected, lasso, width }),
    [groups, points, drawOrder, selected, lasso, width, theme],
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
        updatePath([at(event)]);
      }}
      onPointerMove={(event) => {
        if (path.current.length > 0) updatePath([...path.current, at(event)]);
        else onHover(tree.find(...at(event), HIT_RADIUS_PX) ?? null);
      }}
      onPointerLeave={() => onHover(null)}
      onPointerUp={(event) => {
        const polygon = path.current;
        updatePath([]);
        if (polygon.length >= MIN_LASSO_POINTS) {
          onSelect([...points].flatMap(([row, point]) => (polygonContains(polygon, point) ? [row] : [])));
          return;
        }
        const hit = tree.find(...at(event), HIT_RADIUS_PX);
        onSelect(hit === undefined ? [] : [hit]);
      }}
    />
  );
}

/** Canvas coordinates of each row with a vector, in CSS pixels. */
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

/** Rows of large groups first, so that small groups are drawn over them. */
function rowsInDrawOrder(points: ReadonlyMap<number, Point>, { groupOf, names }: PointGroups): number[] {
  const sizes = names.map(() => 0);
  for (const row of points.keys()) sizes[groupOf[row]!]! += 1;
  return [...points.keys()].sort((a, b) => sizes[groupOf[b]!]! - sizes[groupOf[a]!]!);
}

function draw(
  canvas: HTMLCanvasElement,
  {
    groups,
    points,
    drawOrder,
    selected,
    lasso,
    width,
  }: {
    groups: PointGroups;
    points: ReadonlyMap<number, Point>;
    drawOrder: readonly number[];
    selected: readonly number[];
    lasso: readonly Point[];
    width: number;
  },
): void {
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = HEIGHT_PX * scale;
  const context = canvas.getContext('2d')!;
  context.scale(scale, scale);
  const chosen = new Set(selected);
  const radius = points.size > 5000 ? 1.6 : 2.8;
  for (const row of drawOrder) {
    const [x, y] = points.get(row)!;
    context.globalAlpha = chosen.size === 0 ? 0.75 : chosen.has(row) ? 1 : 0.12;
    context.fillStyle = groupColor(groups.groupOf[row]!);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
  if (lasso.length < 2) return;
  context.globalAlpha = 1;
  context.strokeStyle = getComputedStyle(canvas).color;
  context.setLineDash([5, 4]);
  context.beginPath();
  for (const [x, y] of lasso) context.lineTo(x, y);
  context.closePath();
  context.stroke();
}
