/** The download side of an embedding: what must be known of the rows that are sent, and the output that is written. */

import { join } from 'node:path';
import { quote, type RunInfo } from '@embedmill/contract';
import type { FieldsRow, InputPlan } from '@embedmill/core/formats';
import { type FetchedOutput, fetchOutput, type OutputFiles, publishOutput } from '../../engine/run/fetch.ts';
import type { IndexedRows, InputColumns } from '../../engine/run/output-rows.ts';
import { PartQueue } from '../../engine/run/part-queue.ts';
import type { RunClient } from '../../engine/run/run-client.ts';
import type { Tracker } from '../../engine/run/tracker.ts';
import type { OldOutput } from '../../io/append/old-output.ts';
import type { VectorOptions } from '../../io/append/row-index.ts';
import { type RowCounts, RowSpool } from '../../io/append/row-spool.ts';
import { ColumnSpool } from '../../io/columns/spool.ts';
import { type Destination, isAppendable } from '../../io/output/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { withKeptRows } from './append.ts';
import type { EmbedFileRequest } from './request.ts';
import type { WorkFolder } from './work-folder.ts';

/** Dependencies of an {@link OutputReceiver}. */
export interface ReceiverDeps {
  request: EmbedFileRequest;
  plans: readonly InputPlan[];
  folder: WorkFolder;
  destination: Destination;
  /** The output that rows are appended to; `null` if there is none. */
  old: OldOutput | null;
  /** Options that determine the vectors. */
  vectorOptions: VectorOptions;
}

/** Records the rows on their way to the run, downloads their vectors and publishes the output. */
export class OutputReceiver {
  readonly #deps: ReceiverDeps;
  readonly #columns: InputColumns | null;
  readonly #index: IndexedRows | null;
  /** The parts that are sent. */
  readonly parts = new PartQueue();

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
    this.#columns = columnsOf(deps);
    this.#index = indexOf(deps);
  }

  /** With `--append` to an existing output, where its rows come from; otherwise `null`. */
  get appended(): RowCounts | null {
    return this.#deps.old === null || this.#index === null ? null : this.#index.spool.counts;
  }

  /** Names of the columns whose values are of several types. */
  get mixedColumns(): string[] {
    const columns = this.#columns?.spool.columns ?? [];
    return columns.filter(({ type }) => type.kind === 'json').map(({ name }) => name);
  }

  /** The rows to embed: those of the input, and those kept of the old output, that it has no vectors of. */
  record(read: AsyncIterable<FieldsRow[]>): AsyncIterable<FieldsRow[]> {
    const { old, plans, request } = this.#deps;
    const spool = this.#columns?.spool ?? null;
    const all = withKeptRows(read, { old, plans, spool, output: request.output });
    const recorded = spool === null ? all : spool.record(all);
    return this.#index === null ? recorded : this.#index.spool.record(recorded);
  }

  /** Writes the output as drafts, while the rows are sent and embedded. */
  receive(
    { client, run, tracker }: { client: RunClient; run: RunInfo; tracker: Tracker },
    signal: AbortSignal,
  ): Promise<FetchedOutput> {
    const retry = { signal, onWait: (reason: string | null) => tracker.setWait('receive', reason) };
    const { output } = this.#deps.request;
    const [columns, index, parts] = [this.#columns, this.#index, this.parts];
    return fetchOutput({ client, run: run.id, parts, output, retry, columns, index }, signal);
  }

  /** Publishes the drafts of a completed run. */
  publish(run: RunInfo, fetched: FetchedOutput): Promise<OutputFiles> {
    const { folder, destination, request } = this.#deps;
    const onDrafts = folder.writeDrafts.bind(folder);
    return publishOutput(run, fetched, { output: request.output, destination, onDrafts });
  }
}

function columnsOf({ request, plans, folder }: ReceiverDeps): InputColumns | null {
  const { columns: choice, fileColumn } = request;
  const [first] = plans;
  const hasNone = fileColumn === null && plans.every(({ format }) => format === 'txt');
  if (choice === 'none' || first === undefined || hasNone) return null;
  return { spool: new ColumnSpool(join(folder.path, 'columns'), choice), idField: first.idField };
}

function indexOf({ request, folder, old, vectorOptions }: ReceiverDeps): IndexedRows | null {
  if (!isAppendable(request.output)) return null;
  return {
    spool: new RowSpool(join(folder.path, 'rows'), old),
    digestsPath: join(folder.path, 'digests'),
    options: vectorOptions,
    append: old === null ? null : { old, copyPath: join(folder.path, 'old-vectors') },
  };
}

/**
 * Keys that occur first behind the sample of a JSON input cannot be checked.
 * @throws {UsageError} when a chosen column does not exist, or the column of file names does
 */
export function checkColumns(
  { columns: choice, fileColumn }: Pick<EmbedFileRequest, 'columns' | 'fileColumn'>,
  plans: readonly InputPlan[],
): void {
  const names = new Set(plans.flatMap(({ columns }) => columns.map(({ name }) => name)));
  if (fileColumn !== null && names.has(fileColumn)) {
    throw new UsageError(
      `--file-column names ${quote(fileColumn)}, which is a column of the input; expected another name`,
    );
  }
  if (choice === 'all' || choice === 'none') return;
  const isOpen = plans.some(({ format, complete }) => (format === 'jsonl' || format === 'json') && !complete);
  const missing = choice.find((name) => !names.has(name) && name !== fileColumn);
  if (missing === undefined || isOpen) return;
  const found = [...names].map((name) => quote(name)).join(', ') || 'none';
  throw new UsageError(`--columns names ${quote(missing)}; the columns of the input are ${found}`);
}
