/** The summary of a completed embedding: a few lines of text, or one JSON object. */

import type { RunInfo, VerdictCounts } from '@embedmill/contract';
import { type OutputFiles, rowsWithoutVector } from '../../engine/run/fetch.ts';
import type { ProducerShare } from '../../engine/run/run-client.ts';
import type { RowCounts } from '../../io/append/row-spool.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNoun,
  formatRate,
} from '../../shell/terminal/numbers.ts';
import type { Paint } from '../../shell/terminal/style.ts';

/** The object that `--json` prints. Public interface. */
export interface EmbedSummary {
  /** Rows of the input and of the output. */
  rows: number;
  /** With `--append`, of the embedded rows only. */
  verdicts: VerdictCounts;
  /** With `--append` to an existing output: where its rows come from; otherwise `null`. */
  append: AppendCounts | null;
  /** Tokens that the model processed, including earlier attempts. */
  tokens: number;
  /** Those that frame texts, such as [CLS] and [SEP]. */
  specialTokens: number;
  /** Tokens that the vocabulary of the model does not know, and the script of most of them. */
  unknownTokens: number;
  unknownScript: string | null;
  /** Warning about them, if they are more than 5 %. */
  languageSignal: string | null;
  /** Glossary terms that were replaced in the texts. */
  replacements: number;
  /** Duration of this invocation in seconds. */
  seconds: number;
  /** Part of `seconds` in which rows were embedded; the base of the rates. */
  embeddingSeconds: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Numbers per vector; `null` if there were no rows. */
  dim: number | null;
  model: string;
  precision: string;
  /** Fingerprint of the model: equal fingerprints mean comparable vectors. `null` if there were no rows. */
  fingerprint: string | null;
  /** Id of the run; with several producers their ids with commas. */
  run: string;
  /** URLs given with `--server`. */
  server: string | null;
  /** With several producers what each embedded, otherwise `null`. */
  producers: ProducerShare[] | null;
  /** True if an earlier attempt was resumed. */
  resumed: boolean;
  /** Absolute paths, or URLs of objects; `null` for a file that this output does not have. */
  output: string;
  /** Number of files with `--shard-rows`; `output` is the pattern of their names. */
  shards: number | null;
  ids: string | null;
  scales: string | null;
  report: string | null;
}

/** Rows of an output by the origin of their vectors. */
export interface AppendCounts {
  /** Embedded, or without a vector. */
  embedded: number;
  /** Copied from the old output. */
  reused: number;
  /** Rows that the input no longer has, copied from the old output. */
  kept: number;
}

/** The data of {@link summarizeEmbedding}. */
export interface EmbedFigures {
  /** The run when this invocation created or found it. */
  before: RunInfo;
  /** The completed run. */
  after: RunInfo;
  files: OutputFiles;
  /** `null` unless rows were appended. */
  append: RowCounts | null;
  server: string | null;
  producers: ProducerShare[] | null;
  resumed: boolean;
  seconds: number;
  embeddingSeconds: number;
}

/** The summary; rates count only the rows and tokens of this invocation. */
export function summarizeEmbedding(figures: EmbedFigures): EmbedSummary {
  const { before, after, files, append, server, producers, resumed, seconds, embeddingSeconds } = figures;
  const over = Math.max(embeddingSeconds, 0.001);
  return {
    rows: append?.rows ?? after.rows.done,
    verdicts: after.verdicts,
    append: append && { embedded: after.rows.done, reused: append.reused, kept: append.kept },
    tokens: after.tokens,
    specialTokens: after.specialTokens,
    unknownTokens: after.unknownTokens,
    unknownScript: after.unknownScript,
    languageSignal: after.languageSignal,
    replacements: after.replacements,
    seconds: round(seconds),
    embeddingSeconds: round(embeddingSeconds),
    rowsPerSecond: round((after.rows.done - before.rows.done) / over),
    tokensPerSecond: round((after.tokens - before.tokens) / over),
    dim: after.dim,
    model: after.options.model,
    precision: after.options.precision,
    fingerprint: after.fingerprint,
    run: after.id,
    server,
    producers,
    resumed,
    output: files.vectors.name,
    shards: files.shards,
    ids: files.ids?.name ?? null,
    scales: files.scales?.name ?? null,
    report: files.report?.name ?? null,
  };
}

/** Lines for the terminal. @param shorten abbreviates a path */
export function describeSummary(
  summary: EmbedSummary,
  bytes: number,
  paint: Paint,
  shorten: (path: string) => string,
): string[] {
  const { verdicts, dim, ids, scales, report, server, run } = summary;
  const missing = rowsWithoutVector(summary);
  const size = `${formatNoun(summary.rows, 'row')}${dim === null ? '' : ` × ${dim}`}, ${formatBytes(bytes)}`;
  const mark = missing === 0 ? paint('good', '✓') : paint('warning', '!');
  const beside = [
    summary.shards === null ? '' : `, ${formatNoun(summary.shards, 'shard')}`,
    ids === null ? '' : `, ids in ${shorten(ids)}`,
    scales === null ? '' : `, scales in ${shorten(scales)}`,
  ].join('');
  const lines = [`${mark} ${paint('strong', shorten(summary.output))}: ${size}${beside}`];
  if (summary.append !== null) {
    const { embedded, reused, kept } = summary.append;
    const beside = kept === 0 ? '' : `, ${formatCount(kept)} removed ones kept`;
    lines.push(`  ${formatNoun(embedded, 'row')} embedded, ${formatCount(reused)} copied${beside}`);
  }
  if (report !== null) {
    const what = missing === 1 ? '1 row has no vector' : `${formatCount(missing)} rows have no vector`;
    lines.push(paint('warning', `  ${what} (${describeMissing(verdicts)}); see ${shorten(report)}`));
  }
  if (verdicts.truncated > 0) {
    const were = verdicts.truncated === 1 ? 'was' : 'were';
    lines.push(`  ${formatNoun(verdicts.truncated, 'row')} exceeded the token limit and ${were} truncated`);
  }
  if (summary.replacements > 0) lines.push(`  ${formatNoun(summary.replacements, 'glossary term')} replaced`);
  const speed = `${formatRate(summary.rowsPerSecond)} rows/s, ${formatRate(summary.tokensPerSecond)} tokens/s`;
  lines.push(`  ${formatDuration(summary.seconds)}, ${speed}, ${formatCount(summary.tokens)} tokens`);
  const fingerprint = summary.fingerprint === null ? '' : `, fingerprint ${summary.fingerprint}`;
  lines.push(paint('quiet', `  ${summary.model} ${summary.precision}${fingerprint}`));
  for (const share of summary.producers ?? []) {
    const rows = formatNoun(share.rows, 'row');
    lines.push(paint('quiet', `  ${rows} by ${share.server}, where run ${share.run} is kept`));
  }
  if (server !== null && summary.producers === null) {
    lines.push(
      paint('quiet', `  run ${run} is kept on ${server}; "embedmill runs delete ${run}" removes it`),
    );
  }
  if (summary.languageSignal !== null) lines.push(paint('warning', `  ${summary.languageSignal}`));
  return lines;
}

function describeMissing({ empty, failed }: VerdictCounts): string {
  const words = [
    empty > 0 ? `${formatCount(empty)} empty` : '',
    failed > 0 ? `${formatCount(failed)} failed` : '',
  ];
  return words.filter((word) => word !== '').join(', ');
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
