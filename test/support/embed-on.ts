/** Runs `embedmill embed` with the built-in model on a given Redis. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { embedmill, jsonLines, readLines, sentences } from './embedmill.ts';
import { temporaryFolder } from './folder.ts';

/** Embeds some texts with a stack of its own, and expects a vector for each. @param url `REDIS_URL` */
export async function expectEmbeds(url: string): Promise<void> {
  const folder = temporaryFolder();
  const [input, output] = [join(folder, 'texts.jsonl'), join(folder, 'vectors.jsonl')];
  const rows = sentences(40);
  writeFileSync(input, jsonLines(rows));
  const ended = await embedmill(['embed', input, '--to', output], { env: { REDIS_URL: url } });
  expect(ended.stderr).not.toMatch(/rror/);
  expect(ended.code).toBe(0);
  const lines = readLines(output);
  expect(lines.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(lines.every(({ vector }) => vector.length === 384)).toBe(true);
}
