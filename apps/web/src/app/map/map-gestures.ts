/**
 * Turns pointer, wheel, touch and keyboard events on a map into moves of it.
 *
 * - Mouse: dragging pans, the wheel zooms, Shift with dragging draws a lasso, a click selects.
 * - Touch: two fingers pan and zoom. One finger scrolls the page, as everywhere else; a tap selects.
 * - Keyboard: arrows pan, + and − zoom, 0 shows all, Escape clears the selection.
 * - While the lasso tool is on, dragging with mouse or finger draws a lasso.
 */

import type { ScreenPoint } from '@embedmill/analysis/map';

/** What happens on the map; positions are in CSS pixels from its upper left corner. */
export interface GestureHandlers {
  /** The map is moved by pixels. */
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: ScreenPoint): void;
  showAll(): void;
  /** The pointer is over this position; `null` when it left. */
  hover(at: ScreenPoint | null): void;
  tap(at: ScreenPoint): void;
  /** The path so far; empty when it ended. */
  drawLasso(path: readonly ScreenPoint[]): void;
  selectInside(path: readonly ScreenPoint[]): void;
  clear(): void;
  /** One finger dragged across, which does not move the map. */
  oneFinger(): void;
  isLassoOn(): boolean;
  /** False where the map is already as small as it gets, so that the wheel scrolls the page. */
  canZoomOut(): boolean;
}

/** A shorter movement is a click. */
const MIN_DRAG_PX = 4;

/** Distance between two points of a lasso. */
const LASSO_STEP_PX = 3;

/** A lasso of fewer points is a click. */
const MIN_LASSO_POINTS = 4;

/** Factor per pixel of the wheel, and pixels of a wheel that reports lines. */
const WHEEL_FACTOR = 1.0022;
const WHEEL_LINE_PX = 18;

/** Maximum pixels of one wheel event: some mice report several turns at once. */
const MAX_WHEEL_PX = 240;

/** One press of a key. */
const KEY_PAN_PX = 60;
const KEY_ZOOM = 1.4;

/** Listens on an element until the returned function is called. */
export function listenForGestures(element: HTMLElement, handlers: GestureHandlers): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const at = ({ clientX, clientY }: { clientX: number; clientY: number }): ScreenPoint => {
    const { left, top } = element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  /** The drag of a mouse or, with the lasso, of a finger. */
  let drag: { start: ScreenPoint; last: ScreenPoint; isLasso: boolean; isMoved: boolean } | null = null;
  let path: ScreenPoint[] = [];

  element.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      const start = at(event);
      const isLasso = handlers.isLassoOn() || (event.shiftKey && event.pointerType === 'mouse');
      drag = { start, last: start, isLasso, isMoved: false };
      path = isLasso ? [start] : [];
      if (event.pointerType === 'mouse' || isLasso) element.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  element.addEventListener(
    'pointermove',
    (event) => {
      if (!event.isPrimary) return;
      const now = at(event);
      if (drag === null) {
        handlers.hover(now);
        return;
      }
      const before = drag.last;
      drag.isMoved ||= Math.hypot(now.x - drag.start.x, now.y - drag.start.y) >= MIN_DRAG_PX;
      if (!drag.isMoved) return;
      drag.last = now;
      if (drag.isLasso) {
        const last = path.at(-1)!;
        if (Math.hypot(now.x - last.x, now.y - last.y) < LASSO_STEP_PX) return;
        path = [...path, now];
        handlers.drawLasso(path);
      } else if (event.pointerType === 'mouse') {
        handlers.hover(null);
        handlers.pan(now.x - before.x, now.y - before.y);
      } else handlers.oneFinger();
    },
    { signal },
  );
  element.addEventListener(
    'pointerup',
    (event) => {
      if (drag === null || !event.isPrimary) return;
      const { isLasso, isMoved, start } = drag;
      drag = null;
      if (isLasso) handlers.drawLasso([]);
      if (isLasso && path.length >= MIN_LASSO_POINTS) handlers.selectInside(path);
      else if (!isMoved) handlers.tap(start);
    },
    { signal },
  );
  const cancel = () => {
    if (drag?.isLasso) handlers.drawLasso([]);
    drag = null;
  };
  element.addEventListener('pointercancel', cancel, { signal });
  element.addEventListener('pointerleave', () => handlers.hover(null), { signal });

  element.addEventListener(
    'wheel',
    (event) => {
      if (event.deltaY > 0 && !handlers.canZoomOut()) return;
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE_PX : 1);
      // A pinch on a touchpad arrives as a wheel with Ctrl and small distances.
      const amount = Math.max(-MAX_WHEEL_PX, Math.min(MAX_WHEEL_PX, event.ctrlKey ? 4 * pixels : pixels));
      handlers.zoom(WHEEL_FACTOR ** -amount, at(event));
    },
    { signal, passive: false },
  );

  listenForTwoFingers(element, { at, cancel, handlers, signal });

  element.addEventListener(
    'keydown',
    (event) => {
      const middle = { x: element.clientWidth / 2, y: element.clientHeight / 2 };
      const actions: Record<string, () => void> = {
        ArrowLeft: () => handlers.pan(KEY_PAN_PX, 0),
        ArrowRight: () => handlers.pan(-KEY_PAN_PX, 0),
        ArrowUp: () => handlers.pan(0, KEY_PAN_PX),
        ArrowDown: () => handlers.pan(0, -KEY_PAN_PX),
        '+': () => handlers.zoom(KEY_ZOOM, middle),
        '=': () => handlers.zoom(KEY_ZOOM, middle),
        '-': () => handlers.zoom(1 / KEY_ZOOM, middle),
        '0': () => handlers.showAll(),
        Escape: () => handlers.clear(),
      };
      const action = actions[event.key];
      if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
  return () => stop.abort();
}

/** Two fingers pan and zoom at once; the browser handles everything else. */
function listenForTwoFingers(
  element: HTMLElement,
  {
    at,
    cancel,
    handlers,
    signal,
  }: {
    at: (touch: Touch) => ScreenPoint;
    cancel: () => void;
    handlers: GestureHandlers;
    signal: AbortSignal;
  },
): void {
  let last: { middle: ScreenPoint; distance: number } | null = null;
  const read = ([first, second]: TouchList): typeof last => {
    if (first === undefined || second === undefined) return null;
    const [a, b] = [at(first), at(second)];
    return {
      middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
      distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
    };
  };
  const start = (event: TouchEvent) => {
    last = event.touches.length === 2 ? read(event.touches) : null;
    if (last === null) return;
    cancel();
    // Otherwise the browser would scroll or zoom the page.
    event.preventDefault();
  };
  const move = (event: TouchEvent) => {
    const now = event.touches.length === 2 ? read(event.touches) : null;
    if (last === null || now === null) return;
    event.preventDefault();
    handlers.pan(now.middle.x - last.middle.x, now.middle.y - last.middle.y);
    handlers.zoom(now.distance / last.distance, now.middle);
    last = now;
  };
  element.addEventListener('touchstart', start, { signal, passive: false });
  element.addEventListener('touchmove', move, { signal, passive: false });
  for (const type of ['touchend', 'touchcancel'] as const) element.addEventListener(type, start, { signal });
}
