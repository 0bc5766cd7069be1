/**
 * How well maps keep neighbours together, how long they take, and how smoothly they move:
 * `npm run bench:map -- [--file LABELLED.jsonl] [--rows 20000,200000] [--python PYTHON] [--frames]`.
 *
 * - Neighbours: share of the 10 nearest rows on the map with the same label, for principal components, for the map, and
 *   for umap-learn if PYTHON is a Python that has it.
 * - Time: of one thread, for the rows of the file and noisy copies of them.
 * - Frames (--frames): frames per second while the page of 200,000 points is moved, in headless Chromium.
 *
 * The file has `text` and `label`, optionally with .gz; without it, the built-in sample with the products as labels.
 */

import { parseArgs } from 'node:util';
import { finish, randomFrom } from '@embedmill/analysis';
import { MAX_LAYOUT_ROWS, mapSteps } from '@embedmill/analysis/map';
import { principalPlaces } from '../../packages/analysis/dist/map/layout.js';
import { embedTexts, readLabelledTexts, seconds, timed, withRows } from '../support/labelled.mjs';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { measureFrames } from './frames.mjs';
import { umapLearn } from './umap-learn.mjs';

const NEIGHBOURS = 10;
const FRAME_ROWS = 200_000;

const { values: options } = parseArgs({
  options: {
    file: { type: 'string' },
    rows: { type: 'string', default: '20000,200000' },
    python: { type: 'string' },
    frames: { type: 'boolean', default: false },
  },
});
const { texts, labels } = await readLabelledTexts(options.file);
const matrix = await embedTexts(texts);
console.log(`${describeMachine()}\n${options.file ?? 'the sample'}: ${texts.length} rows\n`);

const own = timed(() => finish(mapSteps(matrix)));
const again = finish(mapSteps(matrix));
const third = Math.ceil(matrix.rows / 3);
const placed = timed(() => finish(mapSteps(matrix, { maxLayoutRows: third })));
const maps = [
  ['principal components', timed(() => principalPlaces(matrix, randomFrom(1)))],
  ['embedmill map', own],
  [`embedmill map, layout of ${third} rows`, placed],
];
const reference = await umapLearn(options.python, matrix);
if (reference.skipped === undefined) maps.push(['umap-learn', reference]);
else console.log(`umap-learn is left out: ${reference.skipped}\n`);
printTable(
  ['map', `same label among the ${NEIGHBOURS} nearest`, 'CPU time'],
  maps.map(([name, { result, ms }]) => [name, sharedLabels(result).toFixed(3), seconds(ms)]),
);
const isSame = Buffer.from(again.buffer).equals(Buffer.from(own.result.buffer));
console.log(`\nThe same seed again: ${isSame ? 'equal bytes' : 'OTHER BYTES'}\n`);

const rows = options.rows.split(',').filter(Boolean).map(Number);
if (rows.length > 0) {
  printTable(
    ['rows', 'in the layout', 'CPU time', 'memory of the vectors'],
    rows.map((count) => {
      const larger = withRows(matrix, count);
      const { ms } = timed(() => finish(mapSteps(larger)));
      const megabytes = Math.round(larger.vectors.byteLength / 1e6);
      return [count, Math.min(count, MAX_LAYOUT_ROWS), seconds(ms), `${megabytes} MB`];
    }),
  );
}
if (options.frames) {
  console.log('');
  printTable(
    ['points', 'renderer', 'frames per second', 'median frame', '95 % of the frames within', 'CPU per frame'],
    await measureFrames(own.result, FRAME_ROWS),
  );
}

/** Mean share of the nearest other rows on the map that have the label of the row; of equal distances, the earlier. */
function sharedLabels(places) {
  const count = labels.length;
  const distances = new Float64Array(NEIGHBOURS);
  const nearest = new Int32Array(NEIGHBOURS);
  let shared = 0;
  for (let row = 0; row < count; row++) {
    distances.fill(Number.POSITIVE_INFINITY);
    for (let other = 0; other < count; other++) {
      if (other === row) continue;
      const dx = places[2 * other] - places[2 * row];
      const dy = places[2 * other + 1] - places[2 * row + 1];
      const distance = dx * dx + dy * dy;
      if (distance >= distances[NEIGHBOURS - 1]) continue;
      let at = NEIGHBOURS - 1;
      for (; at > 0 && distances[at - 1] > distance; at--) {
        distances[at] = distances[at - 1];
        nearest[at] = nearest[at - 1];
      }
      distances[at] = distance;
      nearest[at] = other;
    }
    for (const other of nearest) if (labels[other] === labels[row]) shared += 1;
  }
  return shared / (count * NEIGHBOURS);
}
