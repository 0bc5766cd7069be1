/** Tests the pages in a real Chromium on a real stack with real vectors. */

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from '@embedmill/producer';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { provideChromium, startBrowser } from '../support/browser.ts';
import { readMatrix } from '../support/embedmill.ts';
import { laneForAll } from '../support/lane.ts';
import { redisForAll } from '../support/redis-process.ts';
import { duckdb } from '../unit/tables/files.ts';

const ROWS = 5000;
const WAIT_MS = 90_000;

/** A table of 3,000 rows with nested texts and ids beyond 2^53; row 2 has no text. */
async function writeShop(path: string): Promise<void> {
  const rows = `SELECT 9007199254740993 + i AS id, 'x' || i AS shop,
    CASE WHEN i = 2 THEN NULL ELSE {'body': 'Towel number ' || i || ' is soft', 'stars': i % 5} END AS review
    FROM range(3000) t(i)`;
  await duckdb(`COPY (${rows}) TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)`);
}

/** Reviews of six products with a shop and a date: 60 of each product. */
function reviewsCsv(): string {
  const products = {
    kettle: ['it boils slowly', 'the lid of the kettle leaks', 'the water in the kettle tastes of metal'],
    novel: ['the plot drags', 'a page turner with a clever ending', 'the characters of the novel are flat'],
    headphones: ['the sound is clear', 'the battery of the headphones dies', 'the ear cushions hurt'],
    tent: ['rain came through the seams', 'pitched in minutes', 'the tent poles broke in the wind'],
    shampoo: ['my hair is soft', 'the shampoo smells of apples', 'the bottle of shampoo leaked'],
    camera: ['sharp pictures', 'the lens of the camera sticks', 'the camera screen is too dark'],
  };
  const shops = ['Berlin', 'Hamburg', 'Munich'];
  const lines = Object.entries(products).flatMap(([product, remarks]) =>
    Array.from({ length: 60 }, (_, n) => {
      const [first, second] = [remarks[n % 3]!, remarks[(n + 1) % 3]!];
      const day = `2024-${String(1 + (n % 12)).padStart(2, '0')}-15`;
      return `${product}-${n},"This ${product}: ${first}, and ${second}. Bought for ${10 + n} euros.",${shops[Math.floor(n / 3) % 3]},${day}`;
    }),
  );
  return `id,text,shop,day\n${lines.join('\n')}\n`;
}

const chromium = await provideChromium();
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(chromium === null)('the pages', async () => {
  const redis = await redisForAll();
  const lane = laneForAll({ redisUrl: redis.url });
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-pages-'));
  const faults: string[] = [];
  let browser: Browser;
  let page: Page;

  const open = async (route: string) => {
    await page.goto(`${lane.producer.url}/#/${route}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  const heading = () => page.getByRole('heading', { level: 1 }).textContent();
  /** Sends an alert as Alertmanager does. */
  const sendAlert = async (status: 'firing' | 'resolved') => {
    const alert = {
      status,
      labels: { alertname: 'EmbedmillThrottled', severity: 'warning' },
      annotations: { summary: 'The CPU quota stops the threads of worker a1 for 49% of the time.' },
      startsAt: new Date().toISOString(),
    };
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ version: '4', alerts: [alert] });
    expect((await fetch(`${lane.producer.url}/v1/alerts`, { method: 'POST', headers, body })).status).toBe(
      204,
    );
  };
  /** What axe finds serious or critical on the page as it is now, one line each. */
  const seriousFindings = async (): Promise<string[]> => {
    // Not as a script of the page, which its policy refuses.
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate<AxeResults>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) => `${page.url()}: ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
      );
  };

  beforeAll(async () => {
    browser = await startBrowser(chromium!);
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      acceptDownloads: true,
    });
    page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(blob:)?http:\/\/127\.0\.0\.1:/.test(request.url())) faults.push(`asked for ${request.url()}`);
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it('say what to do without runs, and show the connected worker', async () => {
    await open('runs');
    await page.getByText('No runs yet.').waitFor();
    await page.getByRole('row', { name: /all-MiniLM-L6-v2/ }).waitFor();
    await page.getByRole('link', { name: 'Explore' }).click();
    await page.getByText('No completed runs to explore.').waitFor();
    await open('nowhere');
    expect(await heading()).toBe('Page not found');
    await open('runs/r0000000000000000000');
    await page.getByText('This run does not exist; it may have been deleted.').waitFor();
  });

  it('take a dropped file to named topics, and export what is selected', async () => {
    const path = join(folder, 'shop-reviews.csv');
    writeFileSync(path, reviewsCsv());
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('completed').waitFor({ timeout: 160_000 });
    // Without a setting and without a click.
    await page.getByRole('heading', { name: /^360 texts, \d+ topics$/ }).waitFor({ timeout: 160_000 });
    await page.getByRole('link', { name: 'Explore the map and texts' }).click();

    // A topic filters the table, and can be named.
    const table = page.getByRole('grid');
    const shown = async () => Number((await table.getAttribute('aria-rowcount')) ?? -1);
    await expect.poll(shown).toBe(360);
    await page
      .getByRole('region', { name: 'Topics' })
      .getByRole('button', { name: /kettle/i })
      .first()
      .click();
    await expect.poll(shown).toBeLessThan(360);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name of the topic').fill('Complaints about kettles');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Complaints about kettles' }).waitFor();
    const inTopic = await shown();

    // So does a column; the state is in the address.
    await page.getByRole('button', { name: /^Filters/ }).click();
    await page.getByRole('group', { name: 'shop' }).getByLabel('Berlin').check();
    await expect.poll(shown).toBeLessThan(inTopic);
    const inBerlin = await shown();
    await page.reload();
    await page.getByRole('button', { name: 'Remove the filter Complaints about kettles' }).waitFor();
    await expect.poll(shown).toBe(inBerlin);
    expect(await seriousFindings()).toEqual([]);
    const saved = async (name: string) => {
      await page.getByText('Export', { exact: true }).click();
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name }).click();
      return readFileSync(await (await download).path(), 'utf8')
        .trim()
        .split(/\r?\n/);
    };
    const rows = await saved('Export the texts as CSV');
    expect(rows).toHaveLength(1 + inBerlin);
    expect(rows.slice(1).every((line) => /kettle/.test(line) && /Berlin/.test(line))).toBe(true);
    const topics = await saved('Export the topics as CSV');
    expect(topics.filter((line) => line.includes('Complaints about kettles'))).toHaveLength(1);
    await page.goBack();
    await expect.poll(shown).toBe(inTopic);
  });

  it(`take a file of ${ROWS} rows from its columns to its vectors, through a pause and a reload`, async () => {
    const csv = Array.from({ length: ROWS }, (_, i) => `R${i},"cup, ${i}"`);
    const path = join(folder, 'cups.csv');
    writeFileSync(path, `code,text\n${csv.join('\n')}\n`);
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await page.getByLabel('Id').selectOption('code');
    await page.getByText(/at .* tokens\/s|unknown before the first run/).waitFor();
    // Held on its way, so that there is something to pause.
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(/\/rows\?/, async (route) => {
      await held;
      await route.abort().catch(() => {});
    });
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused. Uploaded rows are kept.').waitFor();
    release();
    await page.unrouteAll({ behavior: 'wait' });
    // The upload goes on while another page is open.
    await open('similarity');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('region', { name: 'Uploads' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.title()).toMatch(/^\d+ % · Similarity/);
    await open('runs');
    await page.getByRole('link', { name: 'cups' }).click();
    await expect.poll(() => page.title()).toMatch(/^\d+ % · cups/);
    await page.getByText(new RegExp(`of ${ROWS.toLocaleString('en')} rows`)).waitFor();
    await page.reload();
    await page.getByText('completed').waitFor({ timeout: 160_000 });
    await page.getByRole('link', { name: 'Processing' }).click();
    await page.getByText('No text was over the token limit').waitFor();
    await page.getByRole('img', { name: /Histogram of 5,000 rows/ }).waitFor();
    await page.getByRole('link', { name: 'What the texts say' }).click();

    const saved = async (name: string) => {
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name, exact: true }).click();
      return (await download).path();
    };
    const npy = await saved('Vectors .npy');
    const ids = await saved('Ids');
    const matrix = readMatrix(npy);
    expect(matrix).toHaveLength(ROWS);
    expect(matrix.every((row) => Math.abs(Math.hypot(...row) - 1) < 1e-4)).toBe(true);
    expect(readFileSync(ids, 'utf8').split('\n')[4999]).toContain('R4999');
  });

  it('resume the same file after the page was closed', async () => {
    const path = join(folder, 'few.jsonl');
    writeFileSync(path, '{"id":"a","text":"one"}\n{"id":"b","text":"two"}\n');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await page.route(/\/rows\?/, (route) => route.abort());
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('The server is unreachable or overloaded').waitFor();
    await page.reload();
    await page.unrouteAll({ behavior: 'wait' });
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await page.getByRole('button', { name: 'Resume the upload' }).click();
    await page
      .getByText(/of 2 rows|2 texts, /)
      .first()
      .waitFor();
  });

  it('read a file as people have it, change the plan, and show the rows that are refused', async () => {
    const path = join(folder, 'export.csv');
    // Windows-1252, semicolons, no id, and a record with a field too many.
    const good = Array.from(
      { length: 12 },
      (_, i) => `article ${i};Le caf\xe9 num\xe9ro ${i} est tr\xe8s bon.`,
    );
    const lines = ['Titre;Avis', ...good, 'a;b;c;d'];
    writeFileSync(path, Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1'));
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await expect.poll(() => page.getByLabel('Delimiter').inputValue()).toBe(';');
    await expect.poll(() => page.getByLabel('Charset').inputValue()).toBe('windows-1252');
    await page.getByRole('button', { name: 'Read it in windows-1252, with the text in “Avis”' }).click();
    await page.getByRole('cell', { name: 'Le café numéro 0 est très bon.', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('completed').waitFor({ timeout: 160_000 });
    await page.getByRole('link', { name: 'Processing' }).click();
    await page
      .getByRole('region', { name: 'Rows without a vector' })
      .getByText(/field|column/)
      .waitFor();
    await page
      .getByText(/3 of 3 rows|3 rows/)
      .first()
      .waitFor();
  });

  it('warn of texts that the model does not know, before and after', async () => {
    const path = join(folder, 'thai.jsonl');
    writeFileSync(path, '{"id":"a","text":"แบตเตอรี่หมดเร็วมาก"}\n{"id":"b","text":"ผ้าขนหนูนุ่มมาก"}\n');
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await page.getByText(/scripts unknown to all-MiniLM-L6-v2 \(mostly Thai\)/).waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page
      .getByText(/% of the tokens of these texts are unknown to .*; use --model multilingual/)
      .waitFor();
  });

  it('take Parquet by its columns, and keep the rows without a text', async () => {
    const path = join(folder, 'shop.parquet');
    await writeShop(path);
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await expect.poll(() => page.getByLabel('Format').inputValue()).toBe('parquet');
    await page.getByRole('button', { name: 'Read it with the text in “review.body”' }).click();
    await page.getByRole('cell', { name: 'Towel number 0 is soft', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('completed').waitFor({ timeout: 160_000 });
    await page.getByRole('link', { name: 'See why' }).click();
    const refused = page.getByRole('region', { name: 'Rows without a vector' });
    await refused.getByText('9007199254740995').waitFor();
    await refused.getByText(/review.body/).waitFor();
  });

  it('take Arrow', async () => {
    await open('runs');
    await open('new');
    const path = fileURLToPath(new URL('../fixtures/matrix/rows.arrow', import.meta.url));
    await page.locator('input[type=file]').setInputFiles(path);
    await expect.poll(() => page.getByLabel('Format').inputValue()).toBe('arrow');
    await page.getByRole('button', { name: 'Start' }).click();
    await page
      .getByText(/of 4 rows|4 texts, /)
      .first()
      .waitFor();
  });

  it('take a JSON array, and say what only the command reads', async () => {
    const path = join(folder, 'array.json');
    writeFileSync(
      path,
      JSON.stringify(
        [
          { id: 1, text: 'one [x]' },
          { id: 2, text: 'two,\n "q"' },
        ],
        null,
        2,
      ),
    );
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(path);
    await expect.poll(() => page.getByLabel('Format').inputValue()).toBe('json');
    await page.getByRole('button', { name: 'Start' }).click();
    await page
      .getByText(/of 2 rows|2 texts, /)
      .first()
      .waitFor();
    const packed = join(folder, 'packed.jsonl.zst');
    copyFileSync(new URL('../fixtures/packed/reviews.jsonl.zst', import.meta.url), packed);
    await open('runs');
    await open('new');
    await page.locator('input[type=file]').setInputFiles(packed);
    await page.getByText(/packed with zstd, which this page cannot upload. Use the command/).waitFor();
  });

  it('search a run, and read its rows with the keyboard', async () => {
    await open('explore');
    await page.getByLabel('Run').selectOption('cups, 5,000 rows');
    await page.getByLabel('Search by meaning and words').fill('cup, 4321');
    await page.getByLabel('Search by meaning and words').press('Enter');
    const table = page.getByRole('grid');
    await expect.poll(() => table.getAttribute('aria-rowcount')).toBe('200');
    await expect.poll(() => table.getByRole('row').first().textContent()).toContain('cup, 4321');
    expect(await table.locator('mark').first().textContent()).toBe('4321');
    await table.focus();
    await page.keyboard.press('Enter');
    await page.getByText(/1st nearest by meaning; 1st by words: 4321/).waitFor();
    await page.getByText('R4321').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('R4321').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove the filter “cup, 4321”' }).click();
    await expect.poll(() => table.getAttribute('aria-rowcount')).toBe('5000');
    // All rows can be reached, not only the first ones.
    await table.focus();
    await page.keyboard.press('End');
    await table.getByText('cup, 4999', { exact: true }).waitFor();
  });

  it('select an area of the map with a lasso', async () => {
    const map = page.getByRole('application', { name: /^Map of 5,000 texts/ });
    await map.waitFor({ timeout: 160_000 });
    await map.scrollIntoViewIfNeeded();
    const area = (await map.boundingBox())!;
    await page.getByRole('button', { name: 'Select with a lasso' }).click();
    // Around the left half.
    await page.mouse.move(area.x + area.width / 2, area.y + 4);
    await page.mouse.down();
    for (const [right, down] of [
      [0.5, 0.98],
      [0.01, 0.98],
      [0.01, 0.02],
    ] as const) {
      await page.mouse.move(area.x + right * area.width, area.y + down * area.height, { steps: 5 });
    }
    await page.mouse.up();
    await page.getByRole('button', { name: 'Remove the filter Area of the map' }).waitFor();
    const rows = Number(await page.getByRole('grid').getAttribute('aria-rowcount'));
    expect(rows).toBeGreaterThan(100);
    expect(rows).toBeLessThan(4900);
    await page.goBack();
    await expect.poll(() => page.getByRole('grid').getAttribute('aria-rowcount')).toBe('5000');
  });

  it('compare two texts without a mouse', async () => {
    await open('similarity');
    await page
      .getByText(/0\.6\d\d/)
      .first()
      .waitFor();
    const focusOn = async (name: string) => {
      const wanted = page.getByLabel(name).or(page.getByRole('button', { name })).first();
      for (let presses = 0; presses < 30; presses++) {
        await page.keyboard.press('Tab');
        if (await wanted.evaluate((element) => element.matches(':focus'))) return;
      }
      throw new Error(`"${name}" cannot be reached with the Tab key`);
    };
    await focusOn('Second text');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Apple phone battery drains fast');
    await page.getByText('1.000').first().waitFor();
    await focusOn('Show the example');
    await page.keyboard.press('Enter');
    await page.getByText('After cleaning').waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText('x '.repeat(400));
    await page.getByText(/Truncated: the vector covers 256 tokens, the last \d+ are cut off/).waitFor();
    await page.getByText('Many lines').click();
    await page.getByRole('cell', { name: '1.00' }).first().waitFor();
  });

  it('find thresholds from labelled pairs, and save them', async () => {
    await open('threshold');
    await page.getByLabel(/One pair per line/).fill('a,b,same\nno label here,and none there,maybe');
    await page.getByRole('button', { name: 'Find thresholds' }).click();
    await page.getByText('Line 2 is not a labelled pair').waitFor();
    await page.getByRole('button', { name: 'Show the example' }).click();
    await page.getByRole('button', { name: 'Find thresholds' }).click();
    await page.getByText('Balanced: best F1').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as JSON' }).click(),
    ]);
    const saved = JSON.parse(readFileSync((await download.path())!, 'utf8'));
    expect(saved).toMatchObject({ pairs: 33, same: 17 });
    expect(saved.bestF1.f1).toBeGreaterThan(0.8);
    const [picture] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the curve as PNG' }).click(),
    ]);
    expect(
      readFileSync((await picture.path())!)
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  it('report that Redis is unreachable, and continue when it is back', async () => {
    await open('runs');
    await page.getByRole('heading', { name: 'Workers' }).waitFor();
    await redis.kill();
    await page
      .getByText('It ends when Redis is reachable at the address in REDIS_URL; nothing is lost.')
      .waitFor();
    await open('similarity');
    await page.getByLabel('First text').fill('while Redis is away');
    await page.getByRole('alert').waitFor();
    await redis.start();
    await page.getByText('It ends when Redis is reachable').waitFor({ state: 'detached' });
    await page.getByLabel('First text').fill('when Redis is back');
    await page.getByText(/^0\.\d\d\d$/).waitFor();
  });

  it('show an alert while it fires, and what to do', async () => {
    await open('similarity');
    await sendAlert('firing');
    await page.getByText('The CPU quota stops the threads of worker a1 for 49% of the time.').waitFor();
    await page.getByText(/^▲ .*, 1 alert$/).waitFor();
    await page.getByRole('link', { name: 'What to do about EmbedmillThrottled' }).click();
    await page.getByRole('heading', { name: 'Runbook' }).waitFor();
    const section = page.locator('section[aria-current="location"]');
    expect(await section.getByRole('heading').textContent()).toBe('EmbedmillThrottled');
    await expect.poll(async () => (await section.boundingBox())?.y).toBeLessThan(400);
    await sendAlert('resolved');
    await page.getByText('An alert fires').waitFor({ state: 'detached' });
  });

  it('request an API key if the server requires one, and keep it for the tab', async () => {
    const key = 'a-key-for-this-test-0123456789';
    const settings = { EMBEDMILL_API_KEYS: `reader:read:${key}`, EMBEDMILL_DATA_DIR: folder, PORT: '0' };
    const config = readConfig({ ...settings, REDIS_URL: redis.url, EMBEDMILL_PREFIX: 'locked' });
    const producer = await startProducer(config, { log: createLogger({ logLevel: 'silent' }, 'test') });
    onTestFinished(() => producer.stop());
    await page.goto(`${producer.url}/#/runs`);
    await page.getByRole('alert').getByText('This server requires an API key.').waitFor();
    await page.getByRole('link', { name: 'Admin' }).click();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText(/A key is in use in this tab/).waitFor();
    await page.getByRole('link', { name: 'Runs' }).click();
    await page.getByText('No runs yet.').waitFor();
    await page.reload();
    await page.getByText('No runs yet.').waitFor();
  });

  it.each(['light', 'dark'] as const)('have no serious axe violations, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const findings: string[] = [];
    await sendAlert('firing');
    for (const route of ['runs', 'new', 'explore', 'similarity', 'threshold', 'admin', 'runbook']) {
      await open(route);
      await page.getByText('An alert fires').waitFor();
      findings.push(...(await seriousFindings()));
    }
    await open('runs');
    await page.getByRole('link', { name: 'cups' }).click();
    await page.getByRole('link', { name: 'Explore the map and texts' }).waitFor();
    findings.push(...(await seriousFindings()));
    await page.getByRole('link', { name: 'Processing' }).click();
    await page.getByRole('img', { name: /Histogram/ }).waitFor();
    findings.push(...(await seriousFindings()));
    await sendAlert('resolved');
    expect(findings).toEqual([]);
  });

  it('fit a screen of 375 pixels', async () => {
    await page.setViewportSize({ width: 375, height: 800 });
    for (const route of ['runs', 'new', 'explore', 'similarity', 'threshold', 'admin', 'runbook']) {
      await open(route);
      const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect(tooWide, route).toBeLessThanOrEqual(0);
    }
  });

  it('threw no errors, contacted no other server and kept to their policy', () => {
    expect(faults).toEqual([]);
  });
});
