/** Runs the built `embedmill` command, and reads its output files. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startNode, TestProcess, type TestProcessOptions } from './process.ts';
import { PLAIN_TEXTS } from './texts.ts';

const ENTRY = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));

/** Keeps commands away from the Redis, fleets and data of the machine. */
export const ISOLATED = {
  REDIS_URL: undefined,
  EMBEDMILL_DATA_DIR: undefined,
  EMBEDMILL_PREFIX: undefined,
  EMBEDMILL_THREADS: undefined,
  PORT: undefined,
} as const;

/** Starts a command that ends with the test. */
export function startEmbedmill(args: readonly string[], options: TestProcessOptions = {}): TestProcess {
  return startNode([ENTRY, ...args], { ...options, env: { ...ISOLATED, ...options.env } });
}

/** Starts a command for several tests; the caller must end it. */
export function startSharedEmbedmill(args: readonly string[], options: TestProcessOptions): TestProcess {
  return new TestProcess([ENTRY, ...args], { ...options, env: { ...ISOLATED, ...options.env } });
}

/** The result of a command. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. */
export async function embedmill(args: readonly string[], options: TestProcessOptions = {}): Promise<Ended> {
  const command = startEmbedmill(args, options);
  const { code } = await command.waitForExit();
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** Distinct texts with ids. */
export function sentences(count: number): { id: string; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `s${i + 1}`,
    text: `${PLAIN_TEXTS[i % PLAIN_TEXTS.length]} I bought number ${i + 1} of it.`,
  }));
}

/** Objects as JSON lines. */
export function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** The objects in a file of JSON lines. */
// biome-ignore lint/suspicious/noExplicitAny: lines have many shapes, and the test says which it expects
export function readLines(path: string): any[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The float32 matrix in an .npy file, row by row. */
export function readMatrix(path: string): Float32Array[] {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(bytes.subarray(10, start).toString('latin1'));
  const [rows, dim] = [Number(shape?.[1]), Number(shape?.[2])];
  const floats = new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
  if (floats.length !== rows * dim)
    throw new Error(`${path} has ${floats.length} floats for ${rows} × ${dim}`);
  return Array.from({ length: rows }, (_, row) => floats.subarray(row * dim, (row + 1) * dim));
}
