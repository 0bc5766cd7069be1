/** Frames per second of a map page that is moved, in headless Chromium. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomFrom } from '@embedmill/analysis';
import { chromium } from 'playwright-core';
import { makePage } from '../../apps/cli/dist/commands/map/page.js';

const EXECUTABLE = process.env.EMBEDMILL_CHROMIUM ?? '/usr/lib/chromium/chromium';
const SIZE = { width: 1400, height: 900 };
const MEASURED_MS = 5000;
const WARM_UP_MS = 1500;
/** Moves in one direction before the map moves back. */
const TURN_FRAMES = 12;
const TOPICS = 40;

/**
 * @param {Float32Array} places of some rows; repeated with noise
 * @param {number} count number of points
 * @returns {Promise<string[][]>} points, renderer, frames per second, median and 95 % of the frame
 *   times, and CPU time of the thread of the page per frame, which does not depend on what else the machine does
 */
export async function measureFrames(places, count) {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-map-'));
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
  try {
    const path = join(folder, 'map.html');
    writeFileSync(path, await makePage(repeated(places, count), 'Frames'));
    const lines = [];
    for (const forced of [false, true]) {
      const page = await browser.newPage({ viewport: SIZE });
      // The page paints pixels where WebGL runs on the CPU; the second measurement hides that it does.
      if (forced) await page.addInitScript(hideSoftware);
      await page.goto(pathToFileURL(path).href);
      await page.waitForSelector('.point-map canvas');
      await page.waitForTimeout(WARM_UP_MS);
      const session = await page.context().newCDPSession(page);
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const before = await threadSeconds(session);
      const { renderer, times } = await page.evaluate(moveMap, { MEASURED_MS, TURN_FRAMES });
      const cpuMs = (1000 * ((await threadSeconds(session)) - before)) / times.length;
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share) => `${sorted[Math.floor(share * (sorted.length - 1))].toFixed(1)} ms`;
      const perSecond = (1000 * times.length) / times.reduce((sum, time) => sum + time, 0);
      lines.push([
        count.toLocaleString('en-US'),
        renderer,
        perSecond.toFixed(1),
        at(0.5),
        at(0.95),
        `${cpuMs.toFixed(1)} ms`,
      ]);
      await page.close();
    }
    return lines;
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** CPU time of the tasks of the page's thread so far. */
async function threadSeconds(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** Runs in the page: pans by keys, one per frame. @returns the time of each frame in ms */
function moveMap({ MEASURED_MS, TURN_FRAMES }) {
  const area = document.querySelector('.point-map-area');
  const isGl = document.querySelector('.point-map canvas').getContext('2d') === null;
  const times = [];
  return new Promise((resolve) => {
    const start = performance.now();
    let last = start;
    const step = (now) => {
      if (times.length > 0 || now > last) times.push(now - last);
      last = now;
      if (now - start > MEASURED_MS) {
        resolve({ renderer: isGl ? 'WebGL 2' : 'pixels', times });
        return;
      }
      const key = Math.floor(times.length / TURN_FRAMES) % 2 === 0 ? 'ArrowLeft' : 'ArrowRight';
      area.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

/** Runs in the page before its script. */
function hideSoftware() {
  const { getParameter } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.getParameter = function (name) {
    const value = getParameter.call(this, name);
    return typeof value === 'string' ? 'measured' : value;
  };
}

function repeated(places, count) {
  const random = randomFrom(1);
  const rows = places.length / 2;
  return {
    ids: Array.from({ length: count }, (_, row) => String(row)),
    texts: null,
    places: Float32Array.from(
      { length: 2 * count },
      (_, n) => places[n % (2 * rows)] + (n < 2 * rows ? 0 : 0.04 * (random.next() + random.next() - 1)),
    ),
    topicOf: Int32Array.from({ length: count }, (_, row) => (row % rows) % TOPICS),
    topics: Array.from({ length: TOPICS }, (_, n) => ({
      name: `topic ${n}`,
      rows: count / TOPICS,
      group: null,
    })),
    groups: [],
  };
}
