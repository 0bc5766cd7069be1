/** Draws a map as a picture: points as pixels, and the names of its groups or topics over them. */

import { crc32, deflateSync } from 'node:zlib';
import {
  frameOf,
  type MapLabel,
  paintPoints,
  pixelsPerUnit,
  placeLabels,
  pointStyle,
  TOPIC_COLORS,
  topicCenters,
  topicColors,
  wholeView,
} from '@embedmill/analysis/map';
import { loadLibrary } from '../../shell/on-demand.ts';
import type { ComputedMap } from './compute.ts';

/** Size of the picture in units of text; it has twice as many pixels, for high-density screens. */
const SIZE = { width: 1200, height: 900 } as const;
const PIXELS_PER_UNIT = 2;

const FONT = 'DejaVu Sans, Helvetica, Arial, sans-serif';

/** Font sizes of groups and topics, and the mean width of a letter as a share of it. */
const FONT_SIZES = [18, 14] as const;
const LETTER_WIDTH = 0.6;

/** Returns the bytes of a PNG file. @throws {UsageError} if the library that draws text is not installed */
export async function drawPicture(map: ComputedMap): Promise<Buffer> {
  const { Resvg } = await loadLibrary(
    'A map is written as .png',
    '@resvg/resvg-js',
    () => import('@resvg/resvg-js'),
  );
  const points = encodePng(paint(map));
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}">`,
    `<image width="${SIZE.width}" height="${SIZE.height}" href="data:image/png;base64,${points.toString('base64')}"/>`,
    ...labelsOf(map),
    '</svg>',
  ].join('\n');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: PIXELS_PER_UNIT },
    font: { loadSystemFonts: true },
  });
  return image.render().asPng();
}

function paint({ places, topicOf, topics }: ComputedMap): Picture {
  const [width, height] = [SIZE.width * PIXELS_PER_UNIT, SIZE.height * PIXELS_PER_UNIT];
  const colorOf = topicColors(topicCenters(places, topicOf, topics.length), TOPIC_COLORS.length);
  const frame = frameOf(places, SIZE.width, SIZE.height);
  const { radius, alpha } = pointStyle(topicOf.length, SIZE.width * SIZE.height, 1);
  const bytes = new Uint8ClampedArray(4 * width * height).fill(255);
  paintPoints(
    { width, height, bytes },
    {
      places,
      colors: Uint8Array.from(topicOf, (topic) => colorOf[topic]!),
      palette: Uint8Array.from(TOPIC_COLORS.flatMap((color) => [...Buffer.from(color.slice(1), 'hex')])),
      visible: null,
    },
    { ...frame.center, pixelsPerUnit: PIXELS_PER_UNIT * pixelsPerUnit(frame, 1) },
    { radius: PIXELS_PER_UNIT * radius, alpha },
  );
  return { width, height, bytes };
}

/** The labels as SVG, each with a white outline under it. */
function labelsOf({ places, topicOf, topics, groups }: ComputedMap): string[] {
  const frame = frameOf(places, SIZE.width, SIZE.height);
  const groupOf = Int32Array.from(topicOf, (topic) => topics[topic]!.group ?? -1);
  const labels = ([0, 1] as const).flatMap((level): MapLabel[] => {
    const named = level === 0 ? groups : topics;
    const centers = topicCenters(places, level === 0 ? groupOf : topicOf, named.length);
    return named.map(({ name, rows }, n) => ({
      text: name,
      x: centers[2 * n]!,
      y: centers[2 * n + 1]!,
      level,
      rows,
    }));
  });
  const measure = (text: string, level: 0 | 1) => text.length * LETTER_WIDTH * FONT_SIZES[level];
  return placeLabels(labels, frame, wholeView(frame), measure).map(({ label, text, x, y }) => {
    const weight = label.level === 0 ? 700 : 600;
    return (
      `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="middle" dominant-baseline="central" ` +
      `font-family="${FONT}" font-size="${FONT_SIZES[label.level]}" font-weight="${weight}" fill="#16202c" ` +
      `stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke">${escapeXml(text)}</text>`
    );
  });
}

/** An opaque image: red, green, blue and 255 of each pixel. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8ClampedArray;
}

/** Writes a PNG of 8 bits per channel without transparency. */
function encodePng({ width, height, bytes }: Picture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Bits per channel, and red, green and blue as channels.
  header.set([8, 2], 8);
  // Each line starts with its filter; 0 is none.
  const lines = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0, at = 0; y < height; y++) {
    at += 1;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) lines[at++] = bytes[4 * (y * width + x) + channel]!;
    }
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(lines, { level: 3 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** XML allows no control characters, not even as references. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}
