/** Opens the text input of a command: makes the plan of every file before any work starts. */

import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { CorruptError, quote, RequestError } from '@embedmill/contract';
import {
  copyToFile,
  type FieldsRow,
  type FileBytes,
  findColumn,
  isTableFormat,
  openFileBytes,
  openTable,
  type PlanChoices,
  type PlannedInput,
  planInput,
  planTableReading,
  type ReadingPlan,
  ROW_DEFAULTS,
  readingOf,
  readRows,
  readTableRows,
  type Table,
  unpack,
} from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import type { ColumnChoice } from '../columns/spool.ts';
import { flagsFor } from './choices.ts';
import type { InputFile, InputLocation } from './locate.ts';

/** Which input to read, and how. */
export interface InputRequest {
  input: InputLocation;
  choices: PlanChoices;
  /** Columns whose values the rows carry. Default `none`. */
  columns?: ColumnChoice;
  /** Whether the command has the options that errors propose. Default true. */
  hasOptions?: boolean;
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
  rows: AsyncIterable<FieldsRow[]>;
  /** The fraction of the files read so far, from 0 to 1; `null` for a stream. */
  fractionRead(): number | null;
}

/** A file with its plan. */
interface PlannedFile {
  file: InputFile;
  plan: ReadingPlan;
  /** The opened bytes of a stream, which cannot be opened again. */
  opened: OpenedFile | null;
}

/** A file opened for its plan. */
export interface OpenedFile extends PlannedInput {
  /** `null` if the file has records of text. */
  table: OpenedTable | null;
}

/** A table with the file that it reads. */
interface OpenedTable {
  table: Table;
  bytes: FileBytes;
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
    rows: rowsOf(planned, {
      ...deps,
      columns: request.columns ?? 'none',
      onRead: (bytes) => (read += bytes),
    }),
    fractionRead: () => (request.input.isStream ? null : total === 0 ? 1 : Math.min(1, read / total)),
  };
}

/**
 * The plan of one file, whether or not it can be read that way.
 * @throws {UsageError} when the bytes cannot be unpacked or the charset does not exist
 */
export async function planFile(file: InputFile, choices: PlanChoices, deps: InputDeps): Promise<OpenedFile> {
  const name = file.path === null ? file.name : basename(file.path);
  try {
    const planned = await planInput(name, openFile(file, deps), choices, { maxRowBytes: deps.maxRowBytes });
    const opened = await openTableOf(file, planned);
    if (opened === null) return { ...planned, table: null };
    const close = () => opened.bytes.close();
    const plan = await planTableReading(planned.plan, opened.table, choices).catch(async (error) => {
      await close();
      throw error;
    });
    return { ...planned, plan, table: opened, close };
  } catch (error) {
    if (error instanceof CorruptError) throw new UsageError(`${quote(file.name, 200)}: ${error.message}`);
    if (error instanceof RequestError) throw new UsageError(error.message);
    throw error;
  }
}

/** The table in a file, or `null`. It needs random access, so what is packed or a stream is copied first. */
async function openTableOf(
  file: InputFile,
  { plan, bytes, close }: PlannedInput,
): Promise<OpenedTable | null> {
  if (!isTableFormat(plan.format)) return null;
  let opened: FileBytes;
  if (file.path === null || file.isStream || plan.packing !== 'none') opened = await copyToFile(bytes);
  else {
    await close();
    opened = await openFileBytes(file.path);
  }
  try {
    return { table: await openTable(plan.format, opened), bytes: opened };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function planFiles(
  { input, choices, hasOptions = true }: InputRequest,
  deps: InputDeps,
): Promise<PlannedFile[]> {
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
    for (const { file, plan } of used)
      if (plan.problem !== null) throw problemOf(file, plan, { input, hasOptions });
    return used;
  } catch (error) {
    // An open pipe would keep the process alive.
    for (const { opened } of planned) await opened?.close();
    throw error;
  }
}

function problemOf(
  file: InputFile,
  plan: ReadingPlan,
  { input, hasOptions }: { input: InputLocation; hasOptions: boolean },
): UsageError {
  const { message, fix } = plan.problem ?? { message: '', fix: null };
  const place = hasOptions && input.files.length === 1 ? '' : `${quote(file.name, 200)}: `;
  return new UsageError(`${place}${message}${fix === null || !hasOptions ? '' : `; add ${flagsFor(fix)}`}`);
}

/** How rows are read. */
interface RowsDeps extends InputDeps {
  columns: ColumnChoice;
  /** Receives the number of bytes of each piece of a file that was read. */
  onRead: (bytes: number) => void;
}

async function* rowsOf(planned: readonly PlannedFile[], deps: RowsDeps): AsyncGenerator<FieldsRow[]> {
  const keepFields = deps.columns !== 'none';
  for (const { file, plan, opened } of planned) {
    const isOnly = planned.length === 1;
    const rows = isTableFormat(plan.format)
      ? tableRows({ file, plan, opened }, deps)
      : readRows(opened?.bytes ?? unpack(count(openFile(file, deps), deps.onRead), plan.packing), {
          ...readingOf(plan, deps),
          keepFields,
        });
    for await (const slice of rows) {
      yield isOnly
        ? slice
        : slice.map((row) => (row.ok ? row : { ...row, message: `${file.name}: ${row.message}` }));
    }
  }
}

async function* tableRows({ file, plan, opened }: PlannedFile, deps: RowsDeps): AsyncGenerator<FieldsRow[]> {
  const reopened =
    opened?.table ?? (await openTableOf(file, await planInput(file.name, openFile(file, deps), {})));
  if (reopened === null)
    throw new UsageError(`${quote(file.name, 200)} has changed: it is no longer a table`);
  const { table, bytes } = reopened;
  const { columns: choice, maxRowBytes, signal, onRead } = deps;
  const size = file.isStream || file.path === null ? 0 : statSync(file.path).size;
  let before = 0;
  const onFraction = (fraction: number) => {
    onRead((fraction - before) * size);
    before = fraction;
  };
  const names = table.columns.map(({ name }) => name);
  const keep = choice === 'none' ? [] : names.filter((name) => choice === 'all' || choice.includes(name));
  const text = findColumn(table.columns, plan.textField ?? '');
  if (text === null) throw new UsageError(`${quote(file.name, 200)} has no column ${quote(plan.textField)}`);
  const id = plan.idField === null ? null : findColumn(table.columns, plan.idField);
  try {
    for await (const slice of readTableRows(table, {
      ...{ text, id, keep, maxRowBytes, onFraction },
      maxIdBytes: ROW_DEFAULTS.maxIdBytes,
    })) {
      signal.throwIfAborted();
      yield slice;
    }
  } finally {
    await bytes.close();
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
