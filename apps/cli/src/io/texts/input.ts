/** Opens the text input of a command: makes the plan of every file before any work starts. */

import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { CorruptError, quote, RequestError, type RowRead } from '@embedmill/contract';
import {
  type PlanChoices,
  type PlannedInput,
  planInput,
  type ReadingPlan,
  readingOf,
  readRows,
  unpack,
} from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import { flagsFor } from './choices.ts';
import type { InputFile, InputLocation } from './locate.ts';

/** Which input to read, and how. */
export interface InputRequest {
  input: InputLocation;
  choices: PlanChoices;
}

/** Dependencies of reading an input. */
export interface InputDeps {
  stdin: Readable;
  maxRowBytes: number;
  /** Ends the wait for a pipe or terminal that stays silent. */
  signal: AbortSignal;
}

/** An opened input. */
export interface OpenedInput {
  /** The plans of the files with records, in order; at least one. */
  plans: ReadingPlan[];
  /** The rows in order, in slices. Can be read once. */
  rows: AsyncIterable<RowRead[]>;
  /** The fraction of the files read so far, from 0 to 1; `null` for a stream. */
  fractionRead(): number | null;
}

/** A file with its plan. */
interface PlannedFile {
  file: InputFile;
  plan: ReadingPlan;
  /** The unpacked bytes of a stream, which cannot be opened again. */
  opened: PlannedInput | null;
}

/**
 * Opens the input; the content decides how it is read.
 * @throws {UsageError} when a file cannot be read as it is; says which options would read it
 */
export async function openTextInput(request: InputRequest, deps: InputDeps): Promise<OpenedInput> {
  const planned = await planFiles(request, deps);
  const sizes = planned.map(({ file }) =>
    file.isStream || file.path === null ? 0 : statSync(file.path).size,
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let read = 0;
  return {
    plans: planned.map(({ plan }) => plan),
    rows: rowsOf(planned, deps, (bytes) => (read += bytes)),
    fractionRead: () => (request.input.isStream ? null : total === 0 ? 1 : Math.min(1, read / total)),
  };
}

/**
 * The plan of one file, whether or not it can be read that way.
 * @throws {UsageError} when the bytes cannot be unpacked or the charset does not exist
 */
export async function planFile(
  file: InputFile,
  choices: PlanChoices,
  deps: InputDeps,
): Promise<PlannedInput> {
  const name = file.path === null ? file.name : basename(file.path);
  try {
    return await planInput(name, openFile(file, deps), choices, { maxRowBytes: deps.maxRowBytes });
  } catch (error) {
    if (error instanceof CorruptError) throw new UsageError(`${quote(file.name, 200)}: ${error.message}`);
    if (error instanceof RequestError) throw new UsageError(error.message);
    throw error;
  }
}

async function planFiles({ input, choices }: InputRequest, deps: InputDeps): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  try {
    for (const file of input.files) {
      const opened = await planFile(file, choices, deps);
      if (!file.isStream) await opened.close();
      planned.push({ file, plan: opened.plan, opened: file.isStream ? opened : null });
    }
    // An empty shard must not stop the others.
    const filled = planned.filter(({ plan }) => plan.problem?.code !== 'empty');
    const used = filled.length > 0 ? filled : planned.slice(0, 1);
    for (const { file, plan } of used) if (plan.problem !== null) throw problemOf(file, plan, input);
    return used;
  } catch (error) {
    // An open pipe would keep the process alive.
    for (const { opened } of planned) await opened?.close();
    throw error;
  }
}

function problemOf(file: InputFile, plan: ReadingPlan, input: InputLocation): UsageError {
  const { message, fix } = plan.problem ?? { message: '', fix: null };
  const place = input.files.length === 1 ? '' : `${quote(file.name, 200)}: `;
  return new UsageError(`${place}${message}${fix === null ? '' : `; add ${flagsFor(fix)}`}`);
}

async function* rowsOf(
  planned: readonly PlannedFile[],
  deps: InputDeps,
  onRead: (bytes: number) => void,
): AsyncGenerator<RowRead[]> {
  for (const { file, plan, opened } of planned) {
    const bytes = opened?.bytes ?? unpack(count(openFile(file, deps), onRead), plan.packing);
    const isOnly = planned.length === 1;
    for await (const slice of readRows(bytes, readingOf(plan, deps))) {
      yield isOnly
        ? slice
        : slice.map((row) => (row.ok ? row : { ...row, message: `${file.name}: ${row.message}` }));
    }
  }
}

function openFile(file: InputFile, { stdin, signal }: InputDeps): Readable {
  return addAbortSignal(signal, file.path === null ? stdin : createReadStream(file.path));
}

async function* count(
  bytes: AsyncIterable<Uint8Array>,
  add: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    add(chunk.length);
    yield chunk;
  }
}
