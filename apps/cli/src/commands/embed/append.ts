/** The steps of `embed --append`: what a killed command left, which rows are kept, whether the model is the same. */

import { statSync } from 'node:fs';
import type { RunInfo } from '@embedmill/contract';
import type { FieldsRow, InputPlan } from '@embedmill/core/formats';
import { takenNames } from '../../engine/run/output-rows.ts';
import { type KeptRow, type OldOutput, type RemovedChoice, START_OVER } from '../../io/append/old-output.ts';
import { outputColumns } from '../../io/columns/join.ts';
import type { ColumnSpool } from '../../io/columns/spool.ts';
import type { Destination, OutputDraft, OutputTarget } from '../../io/output/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import type { WorkFolder } from './work-folder.ts';

/** Completes what a killed --append was publishing: some of its files may have their names already. */
export async function publishLeftDrafts(folder: WorkFolder, destination: Destination): Promise<void> {
  const drafts = await folder.readDrafts();
  if (drafts === null) return;
  // A later attempt that was killed too may have left a part of a draft.
  const isWhole = ({ draftPath, bytes }: OutputDraft) =>
    (statSync(draftPath, { throwIfNoEntry: false })?.size ?? bytes) === bytes;
  if (drafts.every(isWhole)) await destination.publish(drafts, []);
  await folder.removeDrafts();
}

/**
 * What becomes of removed rows: they are kept by default, but without ids nothing shows which were removed.
 * @param given.limit maximum rows to read; `null` for the whole input
 * @throws {UsageError} if they shall be kept without ids, or dropped although the input is not read to its end
 */
export function removedChoice(
  { removed, limit }: { removed: RemovedChoice | null; limit: number | null },
  plans: readonly InputPlan[],
): RemovedChoice {
  const hasIds = plans.some(({ idField }) => idField !== null);
  if (hasIds && removed !== 'drop') return 'keep';
  if (removed !== 'keep') {
    if (limit === null) return 'drop';
    const why = hasIds ? '--removed drop' : '--append without ids in the input';
    throw new UsageError(`${why} drops every row that is not read; leave out --limit ${limit}`);
  }
  throw new UsageError(
    '--removed keep requires ids, to find the rows that were removed; the rows of the input have none',
  );
}

/** Whether a run computes vectors that are comparable with the old ones, as far as it shows yet. */
export function isSameModel({ header }: OldOutput, { options, fingerprint }: RunInfo): boolean {
  return options.model === header.model && (fingerprint === null || fingerprint === header.fingerprint);
}

/** The error for a run with another model. */
export function otherModel(
  path: string,
  { header }: OldOutput,
  { options, fingerprint }: RunInfo,
): UsageError {
  const now = `${options.model}${fingerprint === null ? '' : ` with the fingerprint ${fingerprint}`}`;
  return new UsageError(
    `${path} has vectors of ${header.model} with the fingerprint ${header.fingerprint}; this run computes with ${now}; ${START_OVER}`,
  );
}

/** Dependencies of {@link withKeptRows}. */
export interface KeptRowsDeps {
  old: OldOutput | null;
  plans: readonly InputPlan[];
  /** Has the columns of all rows of the input when the kept rows are read; `null` without columns. */
  spool: ColumnSpool | null;
  output: OutputTarget;
}

/** The rows of the input, then those that are kept of the old output. */
export async function* withKeptRows(
  slices: AsyncIterable<FieldsRow[]>,
  { old, plans, spool, output }: KeptRowsDeps,
): AsyncGenerator<(FieldsRow | KeptRow)[]> {
  yield* slices;
  if (old === null) return;
  const [plan] = plans;
  const columns = (plan?.columns ?? []).map(({ name }) => ({ name, type: { kind: 'null' } as const }));
  const named = outputColumns(columns, { idField: plan?.idField ?? null, taken: takenNames(output) });
  const renamed = named.map(({ name, position }) => [name, columns[position]?.name ?? name] as const);
  yield* old.keptRows({ renamed: new Map(renamed), columns: spool?.columns ?? [] });
}
