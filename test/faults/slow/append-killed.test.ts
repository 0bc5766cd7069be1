/** `embed --append` is killed at random moments: the output is the old one or the new one, and a repeat completes it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../../support/command-fleet.ts';
import { embedmill, jsonLines, sentences, startEmbedmill } from '../../support/embedmill.ts';
import { temporaryFolder, visibleNames } from '../../support/folder.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const KILLS = 40;
const STEPS = 5;

const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
let fleet: CommandFleet | undefined;
let server = '';

beforeAll(async () => {
  fleet = await startCommandFleet(shared, 1);
  server = fleet.server;
});

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

/** The contents of the files of an output by their names, without its prefix. */
function filesOf(cwd: string, prefix: string): Record<string, string> {
  const names = visibleNames(cwd).filter(
    (name) => name.startsWith(`${prefix}.`) && !name.endsWith('.partial'),
  );
  return Object.fromEntries(
    names.map((name) => [name.slice(prefix.length), readFileSync(join(cwd, name)).toString('latin1')]),
  );
}

test.each(['parquet', 'npy'])('the old or the new .%s is whole after every kill -9', async (format) => {
  const cwd = temporaryFolder();
  const random = seededRandom(17);
  const embed = (...args: string[]) => embedmill(['embed', ...args, '--server', server], { cwd });
  const inputOf = (step: number) => {
    const name = `in${step}.jsonl`;
    // Rows are removed, changed and added.
    const rows = sentences(300 + step * 20).slice(step * 5);
    writeFileSync(join(cwd, name), jsonLines(rows.with(7, { id: 'changed', text: `step ${step}` })));
    return name;
  };
  expect(await embed(inputOf(0), '--to', `out.${format}`)).toMatchObject({ code: 0 });
  for (let step = 1; step <= STEPS; step++) {
    const input = inputOf(step);
    const args = [input, '--to', `out.${format}`, '--append', '--removed', 'drop'];
    const before = filesOf(cwd, 'out')[`.${format}`];
    const startedAt = performance.now();
    expect(await embed(input, '--to', `whole${step}.${format}`)).toMatchObject({ code: 0 });
    const durationMs = performance.now() - startedAt;
    const whole = filesOf(cwd, `whole${step}`);
    for (let kill = 0; kill < KILLS / STEPS; kill++) {
      const call = startEmbedmill(['embed', ...args, '--server', server], { cwd });
      await sleep(random() * durationMs * 1.1);
      call.kill('SIGKILL');
      await call.exited;
      const now = filesOf(cwd, 'out')[`.${format}`];
      expect(now === before || now === whole[`.${format}`]).toBe(true);
    }
    expect(await embed(...args)).toMatchObject({ code: 0 });
    const after = filesOf(cwd, 'out');
    expect(Object.keys(after)).toEqual(Object.keys(whole));
    for (const [name, bytes] of Object.entries(whole)) expect(after[name] === bytes).toBe(true);
  }
});
