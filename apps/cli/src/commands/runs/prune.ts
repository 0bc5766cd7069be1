/** `embedmill runs prune`: deletes finished runs by age and state. */

import { createInterface } from 'node:readline/promises';
import { ApiError, type EmbedmillClient } from '@embedmill/client';
import type { RunInfo, RunState } from '@embedmill/contract';
import { InvalidArgumentError } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatBytes, formatNoun } from '../../shell/terminal/numbers.ts';

/** States in which a run can be pruned. */
export const FINISHED_STATES = ['completed', 'failed', 'cancelled'] as const satisfies readonly RunState[];

/** Which runs are deleted, and how. */
export interface PruneOptions {
  /** Minimum time since the end of the run. Default: any. */
  olderThanMs?: number | undefined;
  /** Default: all finished states. */
  states?: readonly RunState[] | undefined;
  /** Deletes nothing. */
  dryRun?: boolean;
  /** Asks no question. */
  yes?: boolean;
}

/** What was deleted, or would be. */
export interface PruneResult {
  dryRun: boolean;
  /** Ids of the deleted runs, oldest first. */
  runs: string[];
  freedBytes: number;
  /** Runs that are kept because they are being read or continue, with the reason. */
  kept: { run: string; reason: string }[];
}

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
  w: 7 * 24 * 3_600_000,
};

/** Parses an age such as `30d`, `12h`, `45m` or `2w` into milliseconds. */
export function age(given: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(given) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Expected an age such as 30d, 12h, 45m or 2w.');
  return Number(count) * UNIT_MS[unit]!;
}

/** Parses finished states, separated by commas. */
export function finishedStates(given: string): RunState[] {
  const states = given.split(',').map((name) => FINISHED_STATES.find((state) => state === name.trim()));
  if (states.every((state) => state !== undefined)) return states;
  throw new InvalidArgumentError(`Expected ${FINISHED_STATES.join(', ')}, separated by commas.`);
}

/** The finished runs to delete, oldest first. */
export function selectRuns(
  runs: readonly RunInfo[],
  { olderThanMs = 0, states = FINISHED_STATES }: PruneOptions,
  now: number,
): RunInfo[] {
  return runs
    .filter(({ state, endedAt, createdAt }) => {
      // A damaged run has no end.
      const end = Date.parse(endedAt ?? createdAt);
      return (
        FINISHED_STATES.some((each) => each === state) && states.includes(state) && now - end >= olderThanMs
      );
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Deletes runs; a run that is being read, or that was retried in the meantime, is kept. An interrupted call has deleted
 * whole runs, and can be repeated.
 * @returns `null` if the answer to the question is no
 * @throws {UsageError} without a terminal to ask on and without `yes`
 */
export async function pruneRuns(
  client: EmbedmillClient,
  options: PruneOptions,
  context: CommandContext,
): Promise<PruneResult | null> {
  const { dryRun = false, yes = false, olderThanMs, states } = options;
  if (olderThanMs === undefined && states === undefined)
    throw new UsageError('Give --older-than, --state or both, so that not all finished runs are deleted.');
  const chosen = selectRuns(await client.listRuns(), options, Date.now());
  const result: PruneResult = { dryRun, runs: [], freedBytes: 0, kept: [] };
  if (!dryRun && !yes && chosen.length > 0 && !(await isConfirmed(chosen, context))) return null;
  for (const { id, bytes } of chosen) {
    const reason = dryRun ? null : await remove(client, id);
    if (reason === null) {
      result.runs.push(id);
      result.freedBytes += bytes;
    } else result.kept.push({ run: id, reason });
  }
  return result;
}

/** Deletes a run. @returns why it is kept; `null` if it is gone */
async function remove(client: EmbedmillClient, id: string): Promise<string | null> {
  try {
    await client.delete(id, { onlyUnused: true });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'run-in-use' || error.code === 'run-not-finished') return error.message;
    if (error.code !== 'unknown-run') throw error;
  }
  return null;
}

async function isConfirmed(runs: readonly RunInfo[], { stdin, stderr }: CommandContext): Promise<boolean> {
  if (stderr.isTTY !== true || !('isTTY' in stdin) || stdin.isTTY !== true)
    throw new UsageError('This is not a terminal to ask on: give --yes to delete, or --dry-run to list.');
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await lines.question(`Delete ${amountOf(runs.length, sumOf(runs))}? [y/N] `);
    return /^(y|yes)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

/** Lines for people. */
export function describePrune(result: PruneResult | null): string[] {
  if (result === null) return ['nothing is deleted'];
  const { dryRun, runs, freedBytes, kept } = result;
  return [
    ...(dryRun ? runs : []),
    ...kept.map(({ run, reason }) => `${run} is kept: ${reason}`),
    `${amountOf(runs.length, freedBytes)} ${dryRun ? 'would be deleted' : 'deleted'}`,
  ];
}

function amountOf(runs: number, bytes: number): string {
  return `${formatNoun(runs, 'run')} (${formatBytes(bytes)})`;
}

function sumOf(runs: readonly RunInfo[]): number {
  return runs.reduce((sum, { bytes }) => sum + bytes, 0);
}
