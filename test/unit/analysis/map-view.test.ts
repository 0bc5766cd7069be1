/** How maps are shown: views, labels, colours, pixels and the data of a page. */

import {
  decodeMapDocument,
  encodeMapDocument,
  frameOf,
  type MapLabel,
  paintPoints,
  panBy,
  placeLabels,
  pointStyle,
  toMap,
  topicCenters,
  topicColors,
  toScreen,
  wholeView,
  zoomBy,
} from '@embedmill/analysis/map';
import { describe, expect, it, test } from 'vitest';

const SQUARE = Float32Array.of(-1, -1, 1, -1, 1, 1, -1, 1, Number.NaN, Number.NaN);
const frame = frameOf(SQUARE, 800, 400);
const measure = (text: string) => 8 * text.length;

describe('the view', () => {
  it('shows all points with equal axes and y upwards', () => {
    const [left, right] = [
      toScreen(frame, wholeView(frame), -1, -1),
      toScreen(frame, wholeView(frame), 1, 1),
    ];
    expect(right.x - left.x).toBeCloseTo(left.y - right.y);
    expect(Math.min(right.y, left.x)).toBeGreaterThanOrEqual(0);
    expect(left.y).toBeLessThanOrEqual(400);
  });

  it('zooms around the pointer and keeps the middle within the points', () => {
    const at = { x: 450, y: 120 };
    const place = toMap(frame, wholeView(frame), at);
    expect(toScreen(frame, zoomBy(frame, wholeView(frame), 3, at), place.x, place.y)).toMatchObject({
      x: expect.closeTo(450),
      y: expect.closeTo(120),
    });
    expect(panBy(frame, wholeView(frame), -100_000, 0)).toMatchObject({ x: 1, y: 0 });
  });
});

describe('labels', () => {
  const labels: MapLabel[] = [
    { text: 'group', x: 0, y: 0, level: 0, rows: 50 },
    { text: 'topic under the group', x: 0.01, y: 0, level: 1, rows: 40 },
    { text: 'small topic', x: 0.6, y: 0.6, level: 1, rows: 5 },
    { text: 'large topic', x: 0.61, y: 0.6, level: 1, rows: 9 },
  ];
  const shown = (scale: number) =>
    placeLabels(labels, frame, { ...wholeView(frame), scale }, measure).map(({ text }) => text);

  it('are those of groups first when far out, and of topics when near; the larger of two that overlap', () => {
    expect(shown(1)).toEqual(['group', 'large topic']);
    expect(shown(1.8)).toEqual(['topic under the group', 'large topic']);
    expect(shown(100)).toEqual(['topic under the group']);
  });

  it('are placed inside, cut, and only where their place is visible', () => {
    const long = [{ ...labels[0]!, text: 'x'.repeat(90), x: 1, y: 1 }];
    const [placed] = placeLabels(long, frame, wholeView(frame), measure);
    expect(placed!.x + placed!.width / 2).toBeLessThanOrEqual(800);
    expect(placed!.text).toHaveLength(34);
  });

  it('move out of a corner that is covered', () => {
    const inCorner = [{ ...labels[0]!, x: 1, y: 1 }];
    const corner = { width: 60, height: 500 };
    const [placed] = placeLabels(inCorner, frame, wholeView(frame), measure, corner);
    expect(placed!.x + placed!.width / 2).toBeLessThanOrEqual(740);
  });
});

test('the place of a label is the median of its rows; NaN without rows', () => {
  const places = Float32Array.of(0, 0, 1, 1, 50, 2, Number.NaN, Number.NaN);
  expect([...topicCenters(places, [0, 0, 0, 0], 2)]).toEqual([1, 1, Number.NaN, Number.NaN]);
});

test('topics that are near each other have different colours', () => {
  const centers = Float32Array.of(0, 0, 10, 0, 0, 0.1, 10, 0.1);
  const [a, b, c, d] = topicColors(centers, 2);
  expect([a !== c, b !== d]).toEqual([true, true]);
});

test('a document is read as it was written', () => {
  const document = {
    title: 'Réviews </script>',
    totalRows: 5,
    maxTextChars: 300,
    topics: [{ name: 'a', rows: 2, group: null }],
    groups: [],
    ids: ['é', '2'],
    texts: ['x', '"</script>"'],
    places: Float32Array.of(0.5, -1, 2, 3),
    topicOf: Int32Array.of(0, -1),
  };
  expect(decodeMapDocument(encodeMapDocument(document))).toEqual(document);
});

describe('painting', () => {
  const white = () => ({ width: 20, height: 10, bytes: new Uint8ClampedArray(800).fill(255) });
  const points = {
    places: Float32Array.of(0, 0, Number.NaN, Number.NaN, 1e9, 0),
    colors: Uint8Array.of(1, 0, 0),
    palette: Uint8Array.of(0, 0, 0, 200, 100, 50),
    visible: null,
  };
  const view = { x: 0, y: 0, pixelsPerUnit: 5 };
  const pixel = (image: ReturnType<typeof white>, x: number, y: number) => [
    ...image.bytes.subarray(4 * (20 * y + x), 4 * (20 * y + x) + 4),
  ];

  it('blends a point with its opacity and leaves out points without a place', () => {
    const image = white();
    paintPoints(image, points, view, { radius: 1.5, alpha: 1 });
    expect(pixel(image, 10, 5)).toEqual([200, 100, 50, 255]);
    expect(pixel(image, 3, 5)).toEqual([255, 255, 255, 255]);
    const half = white();
    paintPoints(half, points, view, { radius: 1.5, alpha: 0.5 });
    expect(pixel(half, 10, 5)).toEqual([228, 178, 153, 255]);
  });

  it('paints a part as it paints the whole', () => {
    const [whole, parts] = [white(), white()];
    const style = { radius: 3, alpha: 0.7 };
    paintPoints(whole, points, view, style);
    for (const [left, right] of [
      [0, 9],
      [9, 20],
    ] as const) {
      paintPoints(parts, points, view, style, { left, right, top: 0, bottom: 10 });
    }
    expect(parts.bytes).toEqual(whole.bytes);
  });

  it('makes points smaller and fainter the more there are', () => {
    const [few, many] = [pointStyle(500, 8e5, 1), pointStyle(200_000, 8e5, 1)];
    expect(many.radius).toBeLessThan(few.radius);
    expect(many.alpha).toBeLessThan(few.alpha);
    expect(pointStyle(200_000, 8e5, 8).alpha).toBeGreaterThan(many.alpha);
  });
});
