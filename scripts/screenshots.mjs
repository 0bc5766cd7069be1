/**
 * `npm run docs:screenshots [-- /usr/bin/chromium]`: takes screenshots of every page in both themes and
 * writes them to docs/images. Uses its own stack with the sample reviews. The format is WebP, a quarter of
 * the size of PNG here.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';
import { setUp } from './lib/setup.mjs';

const THEMES = ['light', 'dark'];
const QUALITY = 80;
/** Timeout for the start of the stack. */
const START_TIMEOUT_MS = 600_000;
const IMAGES = join(ROOT, 'docs/images');

/** Pages in the order of the screenshots, and the steps before each. */
const PICTURES = [
  { name: 'runs', route: 'runs', prepare: (page) => page.locator('.badge-sealed').waitFor() },
  {
    name: 'new-run',
    route: 'new',
    prepare: async (page, { reviews }) => {
      await page.locator('input[type=file]').setInputFiles(reviews);
      await page.getByText(/tokens\/s/).waitFor();
    },
  },
  {
    name: 'similarity',
    route: 'similarity',
    prepare: (page) => page.getByText('After cleaning: 0').waitFor(),
  },
  {
    name: 'matrix',
    route: 'similarity',
    prepare: async (page) => {
      await page.getByText('Many lines').click();
      await page.getByRole('cell', { name: '1.00' }).first().waitFor();
    },
  },
  {
    name: 'threshold',
    route: 'threshold',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Show the example' }).click();
      await page.getByRole('button', { name: 'Find thresholds' }).click();
      await page.getByText('Scores of the pairs').waitFor();
    },
  },
  {
    name: 'explore',
    route: (runs) => `explore/${runs.sample}?q=the+battery+does+not+last`,
    prepare: async (page) => {
      await page.locator('mark').first().waitFor();
      await page.locator('.point-map').waitFor({ timeout: START_TIMEOUT_MS });
    },
  },
  {
    name: 'run',
    route: (runs) => `runs/${runs.sample}`,
    prepare: (page) => page.locator('.point-map').waitFor({ timeout: START_TIMEOUT_MS }),
  },
  { name: 'admin', route: 'admin', prepare: (page) => page.getByText(/Embedmill \d/).waitFor() },
];

await main(async () => {
  await setUp();
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-screenshots-'));
  const stack = await startStack(folder);
  const browser = await chromium.launch({
    executablePath: process.argv[2] ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    const reviews = join(folder, 'more-reviews.jsonl');
    const {
      runs: [sample],
    } = await (await fetch(`${stack.url}/v1/runs`)).json();
    writeFileSync(reviews, await textsOf(stack.url, sample));
    await startRun(stack.url, reviews);
    // Both themes of a page in succession, because the active run ends before long.
    for (const picture of PICTURES) {
      for (const theme of THEMES)
        await take(browser, { stack, picture, theme, runs: { sample: sample.id }, reviews });
    }
  } finally {
    await browser.close();
    stack.child.kill('SIGINT');
    await once(stack.child, 'exit');
    rmSync(folder, { recursive: true });
  }
});

/** Starts `embedmill up --sample` on a free port; resolves when the sample is embedded. */
async function startStack(folder) {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'apps/cli/bin/embedmill.mjs'), 'up', '--sample', '--port', '0'],
    {
      env: { ...process.env, EMBEDMILL_DATA_DIR: folder, EMBEDMILL_WORKER_PORT: '0', REDIS_URL: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!output.includes('The vectors:')) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the stack did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { child, url: /API\s+(http:\/\/[^/]+)/.exec(output)[1] };
}

/** The sample reviews as JSON Lines, without those with emoji: the browser may lack a font for them. */
async function textsOf(url, { id, rows }) {
  const lines = [];
  for (let start = 0; start < rows.accepted; start += 200) {
    const numbers = Array.from({ length: Math.min(200, rows.accepted - start) }, (_, i) => start + i);
    const response = await (await fetch(`${url}/v1/runs/${id}/texts?rows=${numbers}`)).json();
    lines.push(
      ...response.rows
        .filter(({ text }) => !/\p{Extended_Pictographic}/u.test(text))
        .map((row) => `${JSON.stringify({ id: row.id, text: row.text })}\n`),
    );
  }
  return lines.join('');
}

/** Starts a run that is active while the screenshots are taken. */
async function startRun(url, path) {
  const json = { 'content-type': 'application/json' };
  const { id } = await (
    await fetch(`${url}/v1/runs`, { method: 'POST', headers: json, body: '{"name":"more reviews"}' })
  ).json();
  for (let part = 0; part < 4; part++) {
    await fetch(`${url}/v1/runs/${id}/rows?part=${part}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: readFileSync(path),
    });
  }
  await fetch(`${url}/v1/runs/${id}/seal`, { method: 'POST' });
  // Time for a few batches, so that the pages show rates.
  await new Promise((resolve) => setTimeout(resolve, 20_000));
}

/** Takes one screenshot. */
async function take(browser, { stack, picture, theme, runs, reviews }) {
  const { name, route, prepare } = picture;
  const page = await browser.newPage({
    viewport: { width: 1280, height: 860 },
    colorScheme: theme,
    reducedMotion: 'reduce',
  });
  page.setDefaultTimeout(60_000);
  await page.goto(`${stack.url}/#/${typeof route === 'string' ? route : route(runs)}`);
  await prepare(page, { reviews });
  await page.evaluate('document.activeElement?.blur()');
  // Charts are drawn in a later frame.
  await page.waitForTimeout(500);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  writeFileSync(join(IMAGES, `${name}-${theme}.webp`), Buffer.from(data, 'base64'));
  await page.close();
}
