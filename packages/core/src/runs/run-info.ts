/** Describes a run for the API: state, counts, throughput and remaining time. */

import { describeUnknownTokens, mostFrequent, type RunInfo } from '@embedmill/contract';
import { steadyNow } from '../process/steady-clock.ts';
import { vectorFingerprint } from '../redis/batch/fingerprint.ts';
import type { Ledger } from './ledger.ts';
import type { RunProgress } from './progress.ts';

/** Where the description comes from. */
export interface RunInfoSources {
  ledger: Ledger;
  progress: RunProgress;
  /** Batches in shards, without those that are being retried. */
  storedBatches: number;
  /** Why the run is set aside; `null` while it is not. */
  asideReason: string | null;
  /** What is missing for the run's next batch; `null` for nothing. */
  waitsFor: string | null;
  /** Size of its files. */
  bytes: number;
  /** When the retention may delete the run, as ISO 8601; `null` for never. */
  expiresAt: string | null;
}

/** The run as the API shows it. Rates cover the last 15 s; after its end, the whole run. */
export function describeRun({
  ledger,
  progress,
  storedBatches,
  asideReason,
  waitsFor,
  bytes,
  expiresAt,
}: RunInfoSources): RunInfo {
  const { id, at, options, keepDays = null } = ledger.created;
  const { state, sealedAt, ended, model } = ledger;
  const { rowsPerSecond, tokensPerSecond } = rateOf(ledger, progress);
  const remainingRows = ledger.acceptedRows - progress.rows;
  return {
    id,
    state,
    options,
    createdAt: isoTime(at),
    sealedAt: sealedAt === null ? null : isoTime(sealedAt),
    endedAt: ended === null ? null : isoTime(ended.at),
    error: ended?.error ?? asideReason,
    waitsFor,
    parts: ledger.receipts.size,
    rows: { accepted: ledger.acceptedRows, rejected: ledger.rejectedRows, done: progress.rows },
    batches: { total: ledger.keptBatches, done: progress.batches, stored: storedBatches },
    verdicts: { ...progress.verdicts },
    tokens: progress.tokens,
    lostTokens: progress.lostTokens,
    ...unknownOf(progress, options.model),
    chunkedRows: progress.chunkedRows,
    replacements: progress.replacements,
    rowsPerSecond,
    tokensPerSecond,
    etaSeconds: ended === null && rowsPerSecond > 0 ? remainingRows / rowsPerSecond : null,
    dim: model?.dim ?? null,
    fingerprint: model && vectorFingerprint(model.fingerprint, options, model.treatment),
    bytes,
    keepDays,
    expiresAt,
  };
}

function rateOf(ledger: Ledger, progress: RunProgress): { rowsPerSecond: number; tokensPerSecond: number } {
  const { ended, created } = ledger;
  if (ended === null) return progress.rate(steadyNow());
  const seconds = Math.max(0.001, (ended.at - created.at) / 1000);
  return { rowsPerSecond: progress.rows / seconds, tokensPerSecond: progress.tokens / seconds };
}

function unknownOf(
  { tokens, specialTokens, unknownTokens: byScript }: RunProgress,
  model: string,
): Pick<RunInfo, 'specialTokens' | 'unknownTokens' | 'unknownScript' | 'languageSignal'> {
  const unknownTokens = [...byScript.values()].reduce((sum, each) => sum + each, 0);
  const unknownScript = mostFrequent(byScript) || null;
  const languageSignal = describeUnknownTokens(
    { tokens, specialTokens, unknownTokens, unknownScript },
    model,
  );
  return { specialTokens, unknownTokens, unknownScript, languageSignal };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
