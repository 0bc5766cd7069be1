/** The map: neighbours stay together, the same rows give the same bytes, and unusual rows have places. */

import { finish, type MapOptions, type Matrix, mapSteps, projectMap } from '@embedmill/analysis';
import { describe, expect, it } from 'vitest';
import { bunches } from './bunches.ts';

const GROUPS = 6;

describe('projectMap', () => {
  it('keeps groups together, also where most rows are placed by their neighbours', () => {
    const matrix = bunches(GROUPS, 2100, 24, 0.2);
    for (const maxLayoutRows of [2100, 300]) {
      expect(sharedGroup(map(matrix, { maxLayoutRows }), GROUPS), `${maxLayoutRows} rows`).toBeGreaterThan(
        0.99,
      );
    }
  });

  it('gives the same bytes for the same rows and seed, and others for another seed', async () => {
    const matrix = bunches(GROUPS, 200, 24, 0.4);
    const first = map(matrix);
    expect(Buffer.from((await projectMap(matrix)).buffer).equals(Buffer.from(first.buffer))).toBe(true);
    expect(map(matrix, { seed: 2 })).not.toEqual(first);
  });

  it('fills the frame: 99 % of the rows within 1 of the origin, outliers near it', () => {
    const places = map(bunches(GROUPS, 600, 24, 0.4));
    const radii = radiiOf(places).sort((a, b) => a - b);
    expect(radii[Math.round(0.985 * radii.length)]!).toBeLessThanOrEqual(1);
    expect(radii[Math.round(0.995 * radii.length)]!).toBeGreaterThanOrEqual(1);
    expect(radii.at(-1)!).toBeLessThan(1.25);
  });

  it('gives no place to rows without a vector, and nearly the same place to equal rows', () => {
    const matrix = bunches(GROUPS, 300, 24, 0.4);
    matrix.vectors.fill(0, 0, 24);
    matrix.vectors.fill(Number.NaN, 24, 48);
    for (const row of [10, 11, 12]) matrix.vectors.copyWithin(row * 24, 9 * 24, 10 * 24);
    const places = map(matrix);
    expect([...places.subarray(0, 4)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect(places.subarray(4).every(Number.isFinite)).toBe(true);
    for (const row of [10, 11, 12]) {
      const distance = Math.hypot(places[2 * row]! - places[18]!, places[2 * row + 1]! - places[19]!);
      expect(distance).toBeGreaterThan(0);
      expect(distance).toBeLessThan(0.02);
    }
  });

  it.each([0, 1, 2, 5, 12, 20])('places %i rows', (rows) => {
    const places = map(bunches(3, rows, 8, 0.4));
    expect(places).toHaveLength(2 * rows);
    expect(radiiOf(places).every((radius) => radius <= 1.25)).toBe(true);
    expect(
      new Set(Array.from({ length: rows }, (_, row) => `${places[2 * row]} ${places[2 * row + 1]}`)).size,
    ).toBe(rows);
  });

  it('places 1,000 equal rows as a disc', () => {
    const matrix = { rows: 1000, dim: 4, vectors: new Float32Array(4000) };
    for (let row = 0; row < 1000; row++) matrix.vectors[4 * row] = 1;
    const radii = radiiOf(map(matrix));
    expect(Math.max(...radii)).toBeLessThan(0.11);
    expect(new Set(radii).size).toBeGreaterThan(900);
  });

  it('stops when the signal is aborted, and reports progress', async () => {
    const stop = new AbortController();
    const reports: number[] = [];
    const onProgress = (done: number) => {
      reports.push(done);
      if (done > 0.3) stop.abort(new Error('stopped'));
    };
    const matrix = bunches(GROUPS, 4000, 48, 0.4);
    await expect(projectMap(matrix, { signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
  });
});

function map(matrix: Matrix, options: MapOptions = {}): Float32Array {
  return finish(mapSteps(matrix, options));
}

function radiiOf(places: Float32Array): number[] {
  return Array.from({ length: places.length / 2 }, (_, row) =>
    Math.hypot(places[2 * row]!, places[2 * row + 1]!),
  );
}

/** Share of the rows whose nearest other row on the map is in the same group. */
function sharedGroup(places: Float32Array, groups: number): number {
  const rows = places.length / 2;
  let shared = 0;
  for (let row = 0; row < rows; row++) {
    let nearest = -1;
    let distance = Number.POSITIVE_INFINITY;
    for (let other = 0; other < rows; other++) {
      const next =
        (places[2 * other]! - places[2 * row]!) ** 2 + (places[2 * other + 1]! - places[2 * row + 1]!) ** 2;
      if (other === row || next >= distance) continue;
      distance = next;
      nearest = other;
    }
    if (nearest % groups === row % groups) shared += 1;
  }
  return shared / rows;
}
