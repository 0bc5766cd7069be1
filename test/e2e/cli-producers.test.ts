/** `embedmill embed --server URL,URL`: several producers give the bytes of one, also after they and the command die. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunInfo } from '@embedmill/contract';
import { expect, test } from 'vitest';
import { embedmill, jsonLines, sentences, startEmbedmill } from '../support/embedmill.ts';
import { temporaryFolder, visibleNames } from '../support/folder.ts';
import { type ProducerProcess, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';

const ROWS = 9_000;

/** Texts with and without ids, a column, records without a usable text, and a slow text in every part. */
function inputLines(): string {
  const rows = sentences(ROWS).map(({ id, text }, n) => ({
    ...(n % 3 === 0 ? {} : { id }),
    text: n % 500 === 7 ? '' : n % 1_000 === 11 ? `${text} sleep-400` : text,
    stars: n % 5,
  }));
  const lines = jsonLines(rows).split('\n');
  lines[2_321] = 'this is not JSON';
  return lines.join('\n');
}

/** The digests of the files in an output folder by name, the work folder and the row index excepted. */
const filesOf = (folder: string) =>
  Object.fromEntries(
    visibleNames(folder).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );

const runOf = async ({ call }: ProducerProcess): Promise<RunInfo | undefined> =>
  ((await (await call('GET', '/v1/runs')).json()) as { runs: RunInfo[] }).runs[0];

test('two producers give the bytes of one, after kill -9 of the command and of a producer', async () => {
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  writeFileSync(input, inputLines());
  // Both share the prefix and with it the worker.
  const place = testRedis();
  const dataDir = temporaryFolder();
  const one = await startProducerProcess(place, temporaryFolder());
  let two = await startProducerProcess(place, dataDir);
  await startWorkerProcess(place);
  await Promise.all([one.ready(), two.ready()]);
  const port = new URL(two.url).port;
  const servers = `${one.url},${two.url}`;

  const expected = temporaryFolder();
  const whole = await embedmill([
    'embed',
    input,
    '--to',
    join(expected, 'out.npy'),
    '--server',
    one.url,
    '--json',
  ]);
  expect(whole).toMatchObject({ code: 3 });

  const spread = temporaryFolder();
  const args = ['embed', input, '--to', join(spread, 'out.npy'), '--server', servers, '--json'];
  const killed = startEmbedmill(args);
  await expect.poll(async () => (await runOf(two))?.rows.done ?? 0, { interval: 20 }).toBeGreaterThan(0);
  killed.kill('SIGKILL');
  await killed.exited;
  const [runOne, runTwo] = [await runOf(one), await runOf(two)];

  const resumed = startEmbedmill(args);
  await resumed.waitFor(/Resuming/);
  two.process.kill('SIGKILL');
  await two.process.exited;
  await resumed.waitFor(new RegExp(`waiting: no response from ${two.url} .*the other producers continue`));
  two = await startProducerProcess(place, dataDir, { PORT: port });
  expect(await resumed.waitForExit()).toMatchObject({ code: 3 });

  expect(filesOf(spread)).toEqual(filesOf(expected));
  expect(Object.keys(filesOf(spread))).toEqual(['out.ids.jsonl', 'out.npy', 'out.npy.report.jsonl']);
  const summary = JSON.parse(resumed.stdout);
  const { verdicts, tokens, rows } = JSON.parse(whole.stdout);
  expect(summary).toMatchObject({
    verdicts,
    tokens,
    rows,
    resumed: true,
    run: `${runOne?.id},${runTwo?.id}`,
  });
  expect(summary.producers).toMatchObject([
    { server: one.url, run: runOne?.id },
    { server: two.url, run: runTwo?.id },
  ]);
  expect(summary.producers[0].rows + summary.producers[1].rows).toBe(ROWS);
  expect(readdirSync(spread)).not.toContain('out.npy.partial');
}, 240_000);
