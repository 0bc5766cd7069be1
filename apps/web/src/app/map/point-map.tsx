/**
 * A map of points: drawn in WebGL, with zoom, pan, labels and a lasso.
 *
 * The view lives in a ref: a frame of a movement draws the canvases and renders no component. The parent receives the
 * view once a movement has ended. Decision: docs/decisions/0223, in place of docs/decisions/0082.
 */

import './point-map.css';
import {
  frameOf,
  type MapFrame,
  type MapLabel,
  type MapView,
  panBy,
  pixelsPerUnit,
  SCALES,
  type ScreenPoint,
  toMap,
  wholeView,
  zoomBy,
} from '@embedmill/analysis/map';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { listenForGestures } from './map-gestures.ts';
import { drawOverlay } from './map-overlay.ts';
import { PointGrid } from './point-grid.ts';
import { createRenderer, type PointRenderer, type Rgb } from './point-renderer.ts';

/** What the map shows and reports. */
export interface PointMapProps {
  /** x and y of each row, interleaved; NaN for rows without a place. */
  points: Float32Array;
  /** Index into `palette` of each row. */
  colors: Uint8Array;
  /** CSS colours, at most 256. */
  palette: readonly string[];
  /** 0 for a row that is drawn faint and cannot be hit; `null` if all are visible. */
  visible: Uint8Array | null;
  /** Rows with a ring. */
  highlighted: readonly number[];
  /** Rows that stand out: several of them dim the others, one has a ring. */
  selected: readonly number[];
  labels: readonly MapLabel[];
  /** `null` shows the whole map; scale 1 does too, whatever the size of the canvas. */
  view: MapView | null;
  /** Receives the view at the end of a movement. */
  onView: (view: MapView) => void;
  /** Receives the row under the pointer, and the position in CSS pixels from the upper left corner of the map. */
  onHover: (row: number | null, at: ScreenPoint) => void;
  /**
   * Receives the row that was clicked, with `null`, or the rows inside the lasso with its corners in units of the map;
   * no rows for a click beside all of them.
   */
  onSelect: (rows: readonly number[], lasso: readonly (readonly [x: number, y: number])[] | null) => void;
  /** Name of the map for screen readers. */
  name?: string;
}

/** Maximum distance between the pointer and the point that it hits: of a mouse and of a finger. */
const HIT_RADIUS_PX = { mouse: 9, touch: 22 } as const;

/** Time without a movement after which the parent receives the view. */
const SETTLED_MS = 160;

/** Time for which the hint about two fingers is shown. */
const HINT_MS = 1800;

const BUTTON_ZOOM = 1.6;

/** Renders the map; it fills the width and height of its parent. */
export function PointMap(props: PointMapProps) {
  const { points, colors, palette, visible, highlighted, selected, labels, view } = props;
  const root = useRef<HTMLDivElement>(null);
  const pointsCanvas = useRef<HTMLCanvasElement>(null);
  const overlayCanvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<Scene | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [isLasso, setIsLasso] = useState(false);
  const lassoOn = useRef(false);
  lassoOn.current = isLasso;
  const [hint, setHint] = useState(false);

  const emphasized = useMemo(
    () => emphasize(points.length / 2, visible, selected),
    [points, visible, selected],
  );
  const rings = useMemo(
    () => (selected.length === 1 ? [...highlighted, ...selected] : highlighted),
    [highlighted, selected],
  );

  useEffect(() => {
    const made = new Scene(root.current!, pointsCanvas.current!, overlayCanvas.current!, (settled) =>
      latest.current.onView(settled),
    );
    scene.current = made;
    const element = root.current!;
    const observer = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    observer.observe(element);
    const themes = new MutationObserver(() => made.request());
    themes.observe(document.documentElement, { attributes: true });
    const system = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => made.request();
    system.addEventListener('change', redraw);

    let hintTimer: ReturnType<typeof setTimeout> | undefined;
    let hovered: number | null = null;
    const isHit = (row: number) => {
      const { visible: mask } = latest.current;
      return mask === null || mask[row] !== 0;
    };
    const hover = (at: ScreenPoint | null) => {
      const row = at === null ? null : made.hit(at, HIT_RADIUS_PX.mouse, isHit);
      if (row === null && hovered === null) return;
      hovered = row;
      element.classList.toggle('point-map-on-point', row !== null);
      latest.current.onHover(row, at ?? { x: 0, y: 0 });
    };
    const unlisten = listenForGestures(element.querySelector<HTMLElement>('.point-map-area')!, {
      pan: (dx, dy) => made.move((frame, now) => panBy(frame, now, dx, dy)),
      zoom: (factor, at) => made.move((frame, now) => zoomBy(frame, now, factor, at)),
      showAll: () => made.move(wholeView),
      hover,
      tap: (at) => {
        const row = made.hit(
          at,
          matchMedia('(pointer: coarse)').matches ? HIT_RADIUS_PX.touch : HIT_RADIUS_PX.mouse,
          isHit,
        );
        latest.current.onSelect(row === null ? [] : [row], null);
      },
      drawLasso: (path) => made.setLasso(path),
      selectInside: (path) => {
        setIsLasso(false);
        const corners = made.corners(path);
        latest.current.onSelect(made.inside(corners, isHit), corners);
      },
      clear: () => {
        setIsLasso(false);
        latest.current.onSelect([], null);
      },
      oneFinger: () => {
        clearTimeout(hintTimer);
        setHint(true);
        hintTimer = setTimeout(() => setHint(false), HINT_MS);
      },
      isLassoOn: () => lassoOn.current,
      canZoomOut: () => made.canZoomOut(),
    });
    return () => {
      unlisten();
      observer.disconnect();
      themes.disconnect();
      system.removeEventListener('change', redraw);
      clearTimeout(hintTimer);
      made.destroy();
      scene.current = null;
    };
  }, []);

  useEffect(
    () => scene.current!.loadPoints({ points, colors, palette, visible: emphasized }),
    [points, colors, palette, emphasized],
  );
  useEffect(() => scene.current!.loadOverlay(labels, rings), [labels, rings]);
  useEffect(() => scene.current!.show(view), [view]);

  const zoom = (factor: number) =>
    scene.current!.move((frame, now) =>
      zoomBy(frame, now, factor, { x: frame.width / 2, y: frame.height / 2 }),
    );
  return (
    <div class={`point-map ${isLasso ? 'point-map-lasso' : ''}`} ref={root}>
      <div
        class="point-map-area"
        role="application"
        aria-label={props.name ?? `Map of ${(points.length / 2).toLocaleString('en-US')} texts`}
        aria-roledescription="map"
        aria-keyshortcuts="ArrowUp ArrowDown ArrowLeft ArrowRight + - 0 Escape"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows, + and − move the map
        tabIndex={0}
      >
        <canvas ref={pointsCanvas} />
        <canvas ref={overlayCanvas} />
      </div>
      <div class="point-map-tools">
        <button type="button" title="Zoom in (+)" aria-label="Zoom in" onClick={() => zoom(BUTTON_ZOOM)}>
          <Icon path="M8 3v10M3 8h10" />
        </button>
        <button
          type="button"
          title="Zoom out (−)"
          aria-label="Zoom out"
          onClick={() => zoom(1 / BUTTON_ZOOM)}
        >
          <Icon path="M3 8h10" />
        </button>
        <button
          type="button"
          title="Show the whole map (0)"
          aria-label="Show the whole map"
          onClick={() => scene.current!.move(wholeView)}
        >
          <Icon path="M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3" />
        </button>
        <button
          type="button"
          title="Select with a lasso (or Shift and drag)"
          aria-label="Select with a lasso"
          aria-pressed={isLasso}
          onClick={() => setIsLasso(!isLasso)}
        >
          <Icon path="M5 11c-2-.6-3-1.9-3-3.4C2 5 4.7 3 8 3s6 2 6 4.6-2.7 4.4-6 4.4c-.6 0-1.2 0-1.7-.1M5 11.2c0 1 .6 1.4 1.2 1.1.8-.4.3-2-1-1.8-1.6.3-.8 2.5-2.7 3" />
        </button>
      </div>
      {hint && <p class="point-map-hint">Use two fingers to move the map</p>}
    </div>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={path} fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" />
    </svg>
  );
}

/** Rows drawn at full strength, as a mask: the visible ones, and of those the selected ones if there are several. */
function emphasize(rows: number, visible: Uint8Array | null, selected: readonly number[]): Uint8Array | null {
  if (selected.length < 2) return visible;
  const mask = new Uint8Array(rows);
  for (const row of selected) mask[row] = visible?.[row] ?? 1;
  return mask;
}

/** What the component passes to {@link Scene.loadPoints}. */
type LoadedPoints = Pick<PointMapProps, 'points' | 'colors' | 'palette' | 'visible'>;

/** The canvases of a map, its view and what is on it; draws at most once per frame of the screen. */
class Scene {
  readonly #overlayCanvas: HTMLCanvasElement;
  /** Has the colours of the theme as its style. */
  readonly #root: HTMLElement;
  readonly #renderer: PointRenderer;
  readonly #onSettled: (view: MapView) => void;
  #points: Float32Array = new Float32Array(0);
  #grid: PointGrid | null = null;
  #labels: readonly MapLabel[] = [];
  #rings: readonly number[] = [];
  #lasso: readonly ScreenPoint[] = [];
  #frame: MapFrame = frameOf(this.#points, 0, 0);
  /** `null`: the whole map, also after the size has changed. */
  #view: MapView | null = null;
  /** The view that the parent received last and may send back; `null` if it has chosen another one since. */
  #reported: MapView | null = null;
  #request = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    root: HTMLElement,
    points: HTMLCanvasElement,
    overlay: HTMLCanvasElement,
    onSettled: (view: MapView) => void,
  ) {
    this.#root = root;
    this.#overlayCanvas = overlay;
    this.#onSettled = onSettled;
    this.#renderer = createRenderer(points, () => rgbOf(getComputedStyle(root).backgroundColor));
  }

  loadPoints({ points, colors, palette, visible }: LoadedPoints): void {
    if (points !== this.#points) {
      this.#points = points;
      this.#grid = null;
      this.resize(this.#frame.width, this.#frame.height);
    }
    this.#renderer.load({ points, colors, palette: paletteOf(palette), visible });
    this.request();
  }

  loadOverlay(labels: readonly MapLabel[], rings: readonly number[]): void {
    this.#labels = labels;
    this.#rings = rings;
    this.request();
  }

  resize(width: number, height: number): void {
    this.#frame = frameOf(this.#points, width, height);
    this.request();
  }

  /**
   * Shows a view that the parent chose. A view that it received from here is not shown again: in the meantime the map
   * may have been moved further.
   */
  show(view: MapView | null): void {
    if (view !== null && this.#reported !== null && this.#isSame(view, this.#reported)) return;
    this.#reported = null;
    clearTimeout(this.#settling);
    this.#view = view;
    this.request();
  }

  /** Changes the view and reports it once it has not changed for a while. */
  move(change: (frame: MapFrame, view: MapView) => MapView): void {
    const view = change(this.#frame, this.#now());
    this.#view = view;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#reported = view;
      this.#onSettled(view);
    }, SETTLED_MS);
    this.request();
  }

  canZoomOut(): boolean {
    return this.#now().scale > SCALES.min * 1.001;
  }

  setLasso(path: readonly ScreenPoint[]): void {
    this.#lasso = path;
    this.request();
  }

  /** The row at a position, or `null`. */
  hit(at: ScreenPoint, radiusPx: number, accepts: (row: number) => boolean): number | null {
    const place = toMap(this.#frame, this.#now(), at);
    const radius = radiusPx / pixelsPerUnit(this.#frame, this.#now().scale);
    return this.#gridOfPoints().nearest(place.x, place.y, radius, accepts);
  }

  /** A path in units of the map. */
  corners(path: readonly ScreenPoint[]): [x: number, y: number][] {
    return path.map((at) => {
      const { x, y } = toMap(this.#frame, this.#now(), at);
      return [x, y];
    });
  }

  /** The rows inside a polygon in units of the map. */
  inside(polygon: [x: number, y: number][], accepts: (row: number) => boolean): number[] {
    return this.#gridOfPoints().inside(polygon, accepts);
  }

  /** Draws before the next frame of the screen. */
  request(): void {
    if (this.#request !== 0) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      this.#draw();
    });
  }

  destroy(): void {
    cancelAnimationFrame(this.#request);
    clearTimeout(this.#settling);
    this.#renderer.destroy();
  }

  #draw(): void {
    if (this.#frame.width === 0 || this.#frame.height === 0) return;
    const view = this.#now();
    this.#renderer.draw(this.#frame, view);
    const style = getComputedStyle(this.#root);
    drawOverlay(
      this.#overlayCanvas,
      { points: this.#points, labels: this.#labels, rings: this.#rings, lasso: this.#lasso },
      { ink: style.color, background: style.backgroundColor, accent: style.outlineColor },
      this.#frame,
      view,
      this.#corner(),
    );
  }

  /** The corner that the buttons cover. */
  #corner(): { width: number; height: number } {
    const tools = this.#root.querySelector<HTMLElement>('.point-map-tools');
    if (tools === null) return { width: 0, height: 0 };
    return {
      width: this.#frame.width - tools.offsetLeft,
      height: tools.offsetTop + tools.offsetHeight,
    };
  }

  /** True for views that differ by less than a pixel, as an address with few digits does. */
  #isSame(a: MapView, b: MapView): boolean {
    const pixels = pixelsPerUnit(this.#frame, b.scale);
    const isNear = Math.hypot(a.x - b.x, a.y - b.y) * pixels < 1;
    return isNear && Math.abs(a.scale / b.scale - 1) < 0.002;
  }

  #now(): MapView {
    return this.#view ?? wholeView(this.#frame);
  }

  #gridOfPoints(): PointGrid {
    this.#grid ??= new PointGrid(this.#points);
    return this.#grid;
  }
}

/** Red, green and blue of CSS colours, interleaved. */
function paletteOf(colors: readonly string[]): Uint8Array {
  return Uint8Array.from(colors.flatMap((color) => rgbOf(color)));
}

/** Any CSS colour, as the browser reads it. */
function rgbOf(color: string): Rgb {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext('2d')!;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red!, green!, blue!];
}
