/** `embedmill map`: its tables, its picture, and its page in a real Chromium. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { provideChromium, startBrowser } from '../support/browser.ts';
import { embedmill, jsonLines, startSharedEmbedmill } from '../support/embedmill.ts';
import { bunches } from '../unit/analysis/bunches.ts';
import { duckdb } from '../unit/tables/files.ts';

const SUBJECTS = ['kettle boils water', 'towel feels soft', 'lamp shines bright'];
const ROWS = 240;
const HOSTILE = '</script><img src=x onerror="document.title=1"> & <!-- "quoted"';

/** Rows of three subjects in turn, with an id beyond 2^53; the first text tries to leave the page's data. */
function writeVectors(path: string): void {
  const { vectors, dim } = bunches(SUBJECTS.length, ROWS, 24, 0.4);
  const rows = Array.from({ length: ROWS }, (_, row) => ({
    id: String(9007199254740993n + BigInt(row)),
    text: row === 0 ? HOSTILE : `My ${SUBJECTS[row % SUBJECTS.length]}, number ${row}`,
    vector: [...vectors.subarray(row * dim, (row + 1) * dim)],
  }));
  writeFileSync(path, jsonLines([...rows, { id: 'none', text: 'without a vector', vector: null }]));
}

// One folder for all tests of this file.
const cwd = mkdtempSync(join(tmpdir(), 'embedmill-map-'));
afterAll(() => rmSync(cwd, { recursive: true }));

beforeAll(async () => {
  writeVectors(join(cwd, 'vectors.jsonl'));
  const outputs = ['map.html', 'map.png', 'map.csv', 'map.parquet'].flatMap((name) => ['--to', name]);
  const command = startSharedEmbedmill(['map', 'vectors.jsonl', ...outputs], { cwd });
  const { code } = await command.waitForExit();
  const { stdout, stderr } = command;
  expect({ code, stderr: stderr.match(/without a vector.*/)?.[0] }).toEqual({
    code: 0,
    stderr: 'without a vector left out',
  });
  expect(stdout).toMatch(
    /^map\.html: 240 rows in 3 topics, .*\nmap\.png: .*\nmap\.csv: .*\nmap\.parquet: .*\n$/,
  );
});

test('the tables have id, place, topic and text of each row, and rows of a subject are together', async () => {
  const read = (format: string, columns: string) =>
    duckdb(`SELECT ${columns} FROM '${join(cwd, `map.${format}`)}'`);
  const columns = 'id::VARCHAR, topic::INT, text, abs(x) <= 1.25, abs(y) <= 1.25';
  const parquet = await read('parquet', columns);
  expect(parquet).toHaveLength(ROWS);
  expect(parquet[1]).toEqual([
    '9007199254740994',
    expect.any(Number),
    'My towel feels soft, number 1',
    true,
    true,
  ]);
  expect(await read('csv', columns)).toEqual(parquet);
  const subjects = parquet.map((row, n) => `${n % SUBJECTS.length} ${row[1]}`);
  expect(new Set(subjects).size).toBe(SUBJECTS.length);
  const names = await read('csv', 'DISTINCT topic_name');
  expect(names.flat().filter((name) => String(name).includes('towel'))).toHaveLength(1);
});

test('the picture is a PNG', () => {
  const bytes = readFileSync(join(cwd, 'map.png'));
  expect([bytes.toString('latin1', 1, 4), bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([
    'PNG',
    2400,
    1800,
  ]);
});

test.each([
  [['map', 'vectors.jsonl', '--to', 'map.pdf'], 'must end in .html, .png, .parquet or .csv'],
  [['map', 'vectors.jsonl', '--to', 'gone/map.html'], 'there is no folder'],
  [['map', 'vectors.jsonl', '--to', 'm.csv', '--k', '241'], '--k 241 exceeds the 240 rows with a vector'],
  [['map', 'vectors.jsonl'], 'no output given'],
])('%j is rejected with exit code 2', async (args, words) => {
  const { code, stdout, stderr } = await embedmill([...args, '--quiet'], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

const chromium = await provideChromium();
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(chromium === null)('the page', () => {
  /** Opens the page; `faults` collects errors of its script and everything that it loads. */
  async function open(options: object = {}): Promise<{ page: Page; faults: string[] }> {
    const browser = await startBrowser(chromium!);
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, ...options });
    const faults: string[] = [];
    const url = pathToFileURL(join(cwd, 'map.html')).href;
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('request', (request) => {
      if (request.url() !== url) faults.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    await page.getByRole('application').waitFor();
    return { page, faults };
  }

  test.each(['light', 'dark'] as const)(
    'loads nothing else and is accessible in the %s theme',
    async (colorScheme) => {
      const { page, faults } = await open({ colorScheme });
      await page.getByText('240 texts in 3 topics').waitFor();
      await page.getByRole('button', { name: /towel/ }).click();
      await page.getByRole('heading', { name: '80 texts' }).waitFor();
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
      expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
      expect(faults).toEqual([]);
    },
  );

  test('finds texts, shows them as they are, and selects by a lasso', async () => {
    const { page, faults } = await open();
    await page.getByRole('searchbox').fill('ONERROR');
    await page.getByRole('heading', { name: '1 texts' }).waitFor();
    await page.getByText(HOSTILE).waitFor();
    expect(await page.title()).toBe('vectors.jsonl');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('button', { name: 'Select with a lasso' }).click();
    const { x, y, width, height } = (await page.getByRole('application').boundingBox())!;
    await page.mouse.move(x + 5, y + 5);
    await page.mouse.down();
    for (const [dx, dy] of [
      [width - 5, 5],
      [width - 5, height - 5],
      [5, height - 5],
      [5, 8],
    ] as const) {
      await page.mouse.move(x + dx, y + dy, { steps: 4 });
    }
    await page.mouse.up();
    await page.getByRole('heading', { name: '240 texts' }).waitFor();
    expect(faults).toEqual([]);
  });

  test('one finger scrolls the page and two fingers zoom the map', async () => {
    const { page } = await open({ viewport: { width: 390, height: 500 }, hasTouch: true, isMobile: true });
    const { x, y } = (await page.getByRole('application').boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const touch = (type: string, ...points: [number, number][]) =>
      session.send('Input.dispatchTouchEvent', {
        type: type as 'touchStart',
        touchPoints: points.map(([dx, dy], id) => ({ x: x + dx, y: y + dy, id })),
      });
    const canvas = () => page.evaluate<string>("document.querySelector('.point-map canvas').toDataURL()");
    const before = await canvas();
    await touch('touchStart', [100, 200], [200, 200]);
    for (let n = 1; n <= 5; n++) await touch('touchMove', [100 - 10 * n, 200], [200 + 10 * n, 200]);
    await touch('touchEnd');
    await expect.poll(canvas).not.toBe(before);
    expect(await page.evaluate('scrollY')).toBe(0);
    await touch('touchStart', [100, 300]);
    for (let n = 1; n <= 5; n++) await touch('touchMove', [100, 300 - 20 * n]);
    await touch('touchEnd');
    // As far as the page is long.
    await expect.poll(() => page.evaluate('scrollY')).toBeGreaterThan(40);
  });
});
