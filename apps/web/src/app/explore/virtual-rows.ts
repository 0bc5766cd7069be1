/**
 * Positions of the rows of a virtual list in its scrolled area.
 *
 * Browsers limit the height of an element (about 17 million pixels in Firefox). Lists beyond the limit are compressed:
 * one pixel of scrolling then moves them by several pixels.
 */

/** The list: equal rows, one of which may be open and taller. */
export interface RowList {
  count: number;
  rowPx: number;
  /** Position of the open row; −1 for none. */
  open: number;
  /** Additional height of the open row. */
  openPx: number;
  /** Height of the visible part. */
  viewportPx: number;
}

/** Maximum height of the scrolled area. */
const MAX_AREA_PX = 12_000_000;

/** Rows that are rendered above and below the visible ones. */
const MARGIN_ROWS = 6;

/** Height of the scrolled area. */
export function areaHeight(list: RowList): number {
  return Math.min(MAX_AREA_PX, fullHeight(list));
}

/** The rendered rows: from `first` up to, but without, `end`; `shiftPx` is added to the full position of each. */
export function renderedRows(
  list: RowList,
  scrollTop: number,
): { first: number; end: number; shiftPx: number } {
  const offset = scrollTop * compression(list);
  return {
    first: Math.max(0, positionAt(list, offset) - MARGIN_ROWS),
    end: Math.min(list.count, positionAt(list, offset + list.viewportPx) + 1 + MARGIN_ROWS),
    shiftPx: scrollTop - offset,
  };
}

/** Distance of a row from the top of the list without compression. */
export function fullTop({ rowPx, open, openPx }: RowList, position: number): number {
  return position * rowPx + (open >= 0 && position > open ? openPx : 0);
}

/** The scroll position at which a row is visible: the present one if it is visible already. */
export function scrollToShow(list: RowList, position: number, scrollTop: number): number {
  const ratio = compression(list);
  const offset = scrollTop * ratio;
  const top = fullTop(list, position);
  const height = list.rowPx + (position === list.open ? list.openPx : 0);
  if (top < offset) return top / ratio;
  if (top + height > offset + list.viewportPx) {
    return Math.min(top, top + height - list.viewportPx) / ratio;
  }
  return scrollTop;
}

function fullHeight({ count, rowPx, open, openPx }: RowList): number {
  return count * rowPx + (open >= 0 ? openPx : 0);
}

function compression(list: RowList): number {
  const scrolled = areaHeight(list) - list.viewportPx;
  return scrolled <= 0 ? 1 : Math.max(1, (fullHeight(list) - list.viewportPx) / scrolled);
}

function positionAt({ rowPx, open, openPx, count }: RowList, offset: number): number {
  const openEnd = (open + 1) * rowPx + openPx;
  const position =
    open < 0 || offset < (open + 1) * rowPx
      ? Math.floor(offset / rowPx)
      : offset < openEnd
        ? open
        : open + 1 + Math.floor((offset - openEnd) / rowPx);
  return Math.max(0, Math.min(count - 1, position));
}
