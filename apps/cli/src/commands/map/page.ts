/** Makes the page of a map: one HTML file with its script, its style and its data, which loads nothing else. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encodeMapDocument } from '@embedmill/analysis/map';
import { mapPageFolder } from '@embedmill/web';
import type { ComputedMap } from './compute.ts';

/** Maximum rows in a page; of more, every n-th is in it. 200,000 texts take about 20 MB. */
const MAX_PAGE_ROWS = 200_000;

/** Maximum characters of a text in a page. */
const MAX_PAGE_TEXT_CHARS = 300;

/** Libraries whose code is in the script of the page. */
const NOTICE =
  'Contains Preact (MIT, Copyright 2015-present Jason Miller) and d3-polygon (ISC, Copyright 2010-2021 Mike Bostock).';

/** Returns the page. */
export async function makePage(map: ComputedMap, title: string): Promise<string> {
  const [script, style] = await Promise.all(
    ['map-page.js', 'map-page.css'].map((name) => readFile(join(mapPageFolder, name), 'utf8')),
  );
  const data = await promisify(gzip)(
    encodeMapDocument({ title, totalRows: map.ids.length, ...cutRows(map) }),
  );
  // All texts of rows are in the data, as base64: none can leave it, whatever it contains.
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(title)}</title>`,
    `<!-- Made with Embedmill. ${NOTICE} -->`,
    `<style>${style!.replaceAll('</style', '<\\/style')}</style>`,
    '</head>',
    '<body>',
    '<div id="app"></div>',
    `<script type="text/plain" id="map-data">${data.toString('base64')}</script>`,
    `<script type="module">${script!.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** The rows that are in the page, with their texts cut. */
function cutRows({ ids, texts, places, topicOf, topics, groups }: ComputedMap) {
  const step = Math.ceil(ids.length / MAX_PAGE_ROWS);
  const rows = Array.from({ length: Math.ceil(ids.length / step) }, (_, n) => n * step);
  const isCut = texts?.some((text) => cut(text) !== text) ?? false;
  return {
    maxTextChars: isCut ? MAX_PAGE_TEXT_CHARS : null,
    topics,
    groups,
    ids: rows.map((row) => ids[row]!),
    texts: texts === null ? null : rows.map((row) => cut(texts[row]!)),
    places: Float32Array.from({ length: 2 * rows.length }, (_, n) => places[2 * rows[n >> 1]! + (n & 1)]!),
    topicOf: Int32Array.from(rows, (row) => topicOf[row]!),
  };
}

function cut(text: string): string {
  if (text.length <= MAX_PAGE_TEXT_CHARS) return text;
  const characters = [...text.slice(0, 2 * MAX_PAGE_TEXT_CHARS)];
  return characters.length <= MAX_PAGE_TEXT_CHARS
    ? text
    : `${characters.slice(0, MAX_PAGE_TEXT_CHARS - 1).join('')}…`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
