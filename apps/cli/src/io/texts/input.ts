/** Opens the text input of a command: makes the plan of every source before any work starts. */

import { CorruptError, quote, RequestError } from '@embedmill/contract';
import {
  copyToFile,
  type FieldsRow,
  type FileBytes,
  findColumn,
  type InputPlan,
  isTableFile,
  isTableFormat,
  openTable,
  type PlanChoices,
  type PlannedInput,
  planDatabaseTable,
  planInput,
  planTableReading,
  ROW_DEFAULTS,
  readingOf,
  readRows,
  readTableRows,
  unpack,
} from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import type { ColumnChoice } from '../columns/spool.ts';
import { combineIdentities } from '../sources/identity.ts';
import type {
  ByteSource,
  InputIdentity,
  InputSource,
  OpenedTable,
  SourceDeps,
  TableSource,
} from '../sources/types.ts';
import { flagsFor } from './choices.ts';
import { addFileColumn } from './file-column.ts';
import { expandInput, type InputLocation } from './locate.ts';

/** Which input to read, and how. */
export interface InputRequest {
  input: InputLocation;
  choices: PlanChoices;
  /** Columns whose values the rows carry. Default `none`. */
  columns?: ColumnChoice;
  /** Name of a column that gets the name of each row's file; `null`, the default, for none. */
  fileColumn?: string | null;
}

/** Dependencies of reading an input. */
export interface InputDeps extends SourceDeps {
  maxRowBytes: number;
}

/** An opened input. */
export interface OpenedInput {
  /** The plans of the sources with records, in order; at least one. */
  plans: InputPlan[];
  /** The rows in order, in slices. Can be read once. */
  rows: AsyncIterable<FieldsRow[]>;
  /** The fraction of the sources read so far, from 0 to 1; `null` if their size is unknown. */
  fractionRead(): number | null;
  /** Identifies the contents of all sources; `null` for a stream. */
  identify(): Promise<InputIdentity | null>;
  /** Closes what is open if the rows are not read. */
  close(): Promise<void>;
}

/** A source with its plan. */
export interface PlannedSource {
  source: InputSource;
  plan: InputPlan;
  /** What was opened for the plan. */
  opened: OpenedSource;
}

/** The bytes or the table of a source. */
interface OpenedSource {
  /** `null` for a table. */
  bytes: AsyncIterable<Uint8Array> | null;
  /** `null` if the source has records of text. */
  table: OpenedTable | null;
  close(): Promise<void>;
}

/** Remote sources whose plans are made at the same time: a bucket may have thousands of objects. */
const CONCURRENT_PLANS = 8;

/**
 * Opens the input; the content decides how it is read.
 * @throws {UsageError} when a source cannot be read as it is; says which options would read it
 */
export async function openTextInput(request: InputRequest, deps: InputDeps): Promise<OpenedInput> {
  const sources = await expandInput(request.input, deps);
  const planned = await planSources(sources, request, deps);
  const sizes = planned.map(({ source }) => (source.kind === 'bytes' ? source.size() : null));
  const isSized = sizes.every((size) => size !== null);
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  let read = 0;
  return {
    plans: planned.map(({ plan }) => plan),
    rows: rowsOf(planned, {
      ...deps,
      columns: request.columns ?? 'none',
      fileColumn: request.fileColumn ?? null,
      onRead: (bytes) => (read += bytes),
    }),
    fractionRead: () => (!isSized ? null : total === 0 ? 1 : Math.min(1, read / total)),
    async identify() {
      if (request.input.isStream) return null;
      const identities: InputIdentity[] = [];
      for (const source of sources) identities.push(await source.identify());
      return combineIdentities(identities);
    },
    close: () => closeAll(planned),
  };
}

async function closeAll(planned: readonly PlannedSource[]): Promise<void> {
  for (const { opened } of planned) await opened.close();
}

/**
 * The plan of one source, whether or not it can be read that way; the caller closes what was opened.
 * @throws {UsageError} when the bytes cannot be unpacked or the charset does not exist
 */
export async function planSource(
  source: InputSource,
  choices: PlanChoices,
  deps: InputDeps,
): Promise<PlannedSource> {
  try {
    return await (source.kind === 'table'
      ? planDatabase(source, choices, deps)
      : planBytes(source, choices, deps));
  } catch (error) {
    if (error instanceof CorruptError) throw new UsageError(`${quote(source.name, 200)}: ${error.message}`);
    if (error instanceof RequestError) throw new UsageError(error.message);
    throw error;
  }
}

async function planDatabase(
  source: TableSource,
  choices: PlanChoices,
  deps: InputDeps,
): Promise<PlannedSource> {
  const { table, ...opened } = await source.openTable(deps);
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= opened.close();
    return closed;
  };
  const plan = await planDatabaseTable(source.name, source.format, table, choices).catch(async (error) => {
    await close();
    throw error;
  });
  const warned = { ...plan, warnings: [...source.warnings, ...plan.warnings] };
  return { source, plan: warned, opened: { bytes: null, table: { table, close }, close } };
}

async function planBytes(source: ByteSource, choices: PlanChoices, deps: InputDeps): Promise<PlannedSource> {
  const planned = await planInput(source.fileName, source.open(deps), choices, deps);
  const table = await openTableOf(source, planned, deps);
  if (table === null) return { source, plan: planned.plan, opened: { ...planned, table: null } };
  const { close } = table;
  const plan = await planTableReading(planned.plan, table.table, choices).catch(async (error) => {
    await close();
    throw error;
  });
  return { source, plan, opened: { bytes: null, table, close } };
}

/** The table in a file, or `null`. It needs random access, so what is packed or a stream is copied first. */
async function openTableOf(
  source: ByteSource,
  { plan, bytes, close }: PlannedInput,
  deps: InputDeps,
): Promise<OpenedTable | null> {
  if (!isTableFile(plan.format)) return null;
  const random = plan.packing === 'none' ? await source.openRandom(deps) : null;
  if (random !== null) await close();
  const opened: FileBytes = random ?? (await copyToFile(bytes));
  try {
    return { table: await openTable(plan.format, opened), close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Whether a source stays open between its plan and its rows, because it cannot be opened again. */
function staysOpen(source: InputSource): boolean {
  return source.kind === 'table' || source.isStream;
}

async function planSources(
  sources: readonly InputSource[],
  { input, choices }: InputRequest,
  deps: InputDeps,
): Promise<PlannedSource[]> {
  const planned: PlannedSource[] = [];
  try {
    for (let at = 0; at < sources.length; at += CONCURRENT_PLANS) {
      const some = sources.slice(at, at + CONCURRENT_PLANS);
      const results = await Promise.allSettled(
        some.map(async (source) => {
          const found = await planSource(source, choices, deps);
          if (!staysOpen(source)) await found.opened.close();
          return found;
        }),
      );
      for (const result of results) if (result.status === 'fulfilled') planned.push(result.value);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
    // An empty shard must not stop the others.
    const filled = planned.filter(({ plan }) => plan.problem?.code !== 'empty');
    const used = filled.length > 0 ? filled : planned.slice(0, 1);
    for (const { source, plan } of used) {
      if (plan.problem !== null) throw problemOf(source, plan, sources.length === 1);
    }
    return used;
  } catch (error) {
    // An open pipe or connection would keep the process alive.
    await closeAll(planned);
    throw error;
  }

  function problemOf({ name }: InputSource, { problem }: InputPlan, isOnly: boolean): UsageError {
    const { message, fix } = problem ?? { message: '', fix: null };
    const place = isOnly && input.sources.length === 1 ? '' : `${quote(name, 200)}: `;
    return new UsageError(`${place}${message}${fix === null ? '' : `; add ${flagsFor(fix)}`}`);
  }
}

/** How rows are read. */
interface RowsDeps extends InputDeps {
  columns: ColumnChoice;
  fileColumn: string | null;
  /** Receives the number of bytes of each piece of a source that was read. */
  onRead: (bytes: number) => void;
}

async function* rowsOf(planned: readonly PlannedSource[], deps: RowsDeps): AsyncGenerator<FieldsRow[]> {
  const isOnly = planned.length === 1;
  for (const one of planned) {
    const { name } = one.source;
    const rows = isTableFormat(one.plan.format) ? tableRows(one, deps) : textRows(one, deps);
    for await (const slice of deps.fileColumn === null ? rows : addFileColumn(rows, deps.fileColumn, name)) {
      yield isOnly
        ? slice
        : slice.map((row) => (row.ok ? row : { ...row, message: `${name}: ${row.message}` }));
    }
  }
}

function textRows({ source, plan, opened }: PlannedSource, deps: RowsDeps): AsyncIterable<FieldsRow[]> {
  const { columns, onRead } = deps;
  const bytes =
    source.kind === 'bytes' && !staysOpen(source)
      ? unpack(count(source.open(deps), onRead), plan.packing)
      : opened.bytes;
  if (bytes === null) throw new Error(`internal error: ${source.name} is a table`);
  return readRows(bytes, { ...readingOf(plan, deps), keepFields: columns !== 'none' });
}

async function* tableRows(
  { source, plan, opened }: PlannedSource,
  deps: RowsDeps,
): AsyncGenerator<FieldsRow[]> {
  const reopened =
    source.kind === 'table' || staysOpen(source)
      ? opened.table
      : await openTableOf(source, await planInput(source.fileName, source.open(deps), {}), deps);
  if (reopened === null) {
    throw new UsageError(`${quote(source.name, 200)} has changed: it is no longer a table`);
  }
  const { table, close } = reopened;
  const { columns: choice, maxRowBytes, signal, onRead } = deps;
  const size = source.kind === 'bytes' ? (source.size() ?? 0) : 0;
  let before = 0;
  const onFraction = (fraction: number) => {
    onRead((fraction - before) * size);
    before = fraction;
  };
  try {
    const names = table.columns.map(({ name }) => name);
    const keep = choice === 'none' ? [] : names.filter((name) => choice === 'all' || choice.includes(name));
    const text = findColumn(table.columns, plan.textField ?? '');
    if (text === null) {
      throw new UsageError(`${quote(source.name, 200)} has no column ${quote(plan.textField)}`);
    }
    const id = plan.idField === null ? null : findColumn(table.columns, plan.idField);
    for await (const slice of readTableRows(table, {
      ...{ text, id, keep, maxRowBytes, onFraction },
      maxIdBytes: ROW_DEFAULTS.maxIdBytes,
    })) {
      signal.throwIfAborted();
      yield slice;
    }
  } finally {
    await close();
  }
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
