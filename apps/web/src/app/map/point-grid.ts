/** Finds the points near a place, and those inside a polygon, by a grid of cells. */

import { polygonContains } from 'd3-polygon';

/** Average points per cell. */
const CELL_POINTS = 4;

/** Maximum cells along one axis. */
const MAX_CELLS = 1024;

/** The points of a map, by cell. */
export class PointGrid {
  readonly #points: Float32Array;
  readonly #side: number;
  readonly #min: number;
  readonly #cell: number;
  /** The rows of cell c are `#rows` from `#starts[c]` to `#starts[c + 1]`. */
  readonly #starts: Int32Array;
  readonly #rows: Int32Array;

  /** @param points x and y of each row, interleaved; rows at NaN are left out */
  constructor(points: Float32Array) {
    this.#points = points;
    const count = points.length / 2;
    this.#side = Math.max(1, Math.min(MAX_CELLS, Math.ceil(Math.sqrt(count / CELL_POINTS))));
    let [min, max] = [Infinity, -Infinity];
    for (const value of points) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#min = min > max ? 0 : min;
    this.#cell = Math.max((max - min) / this.#side, 1e-9);
    this.#starts = new Int32Array(this.#side ** 2 + 1);
    const cells = new Int32Array(count).fill(-1);
    for (let row = 0; row < count; row++) {
      if (Number.isNaN(points[2 * row]!)) continue;
      const cell = this.#side * this.#cellOf(points[2 * row + 1]!) + this.#cellOf(points[2 * row]!);
      cells[row] = cell;
      this.#starts[cell + 1]! += 1;
    }
    for (let cell = 0; cell < this.#side ** 2; cell++) this.#starts[cell + 1]! += this.#starts[cell]!;
    const next = this.#starts.slice();
    this.#rows = new Int32Array(this.#starts.at(-1)!);
    for (let row = 0; row < count; row++) if (cells[row] !== -1) this.#rows[next[cells[row]!]!++] = row;
  }

  /** The row nearest to a place within a radius that `accepts` takes, or `null`. */
  nearest(x: number, y: number, radius: number, accepts: (row: number) => boolean): number | null {
    let best: number | null = null;
    let square = radius * radius;
    this.#visit(x - radius, x + radius, y - radius, y + radius, (row) => {
      const distance = (this.#points[2 * row]! - x) ** 2 + (this.#points[2 * row + 1]! - y) ** 2;
      if (distance > square || !accepts(row)) return;
      square = distance;
      best = row;
    });
    return best;
  }

  /** The rows inside a polygon, ascending. */
  inside(polygon: [x: number, y: number][], accepts: (row: number) => boolean): number[] {
    const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
    const rows: number[] = [];
    this.#visit(Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys), (row) => {
      const point: [number, number] = [this.#points[2 * row]!, this.#points[2 * row + 1]!];
      if (accepts(row) && polygonContains(polygon, point)) rows.push(row);
    });
    return rows.sort((a, b) => a - b);
  }

  #visit(minX: number, maxX: number, minY: number, maxY: number, visit: (row: number) => void): void {
    const [left, right] = [this.#cellOf(minX), this.#cellOf(maxX)];
    const [bottom, top] = [this.#cellOf(minY), this.#cellOf(maxY)];
    for (let line = bottom; line <= top; line++) {
      const last = this.#starts[line * this.#side + right + 1]!;
      for (let at = this.#starts[line * this.#side + left]!; at < last; at++) visit(this.#rows[at]!);
    }
  }

  #cellOf(value: number): number {
    return Math.min(this.#side - 1, Math.max(0, Math.floor((value - this.#min) / this.#cell)));
  }
}
