/** What a finished call says: a few lines for people, or one object for programs. */

import type { RunInfo, VerdictCounts } from '@embedmill/contract';
import { type OutputFiles, rowsWithoutVector } from '../../engine/run/fetch.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNoun,
  formatRate,
} from '../../shell/terminal/numbers.ts';
import type { Paint } from '../../shell/terminal/style.ts';

/** The object that `--json` prints; part of the interface. */
export interface EmbedSummary {
  /** Rows of the input and of the output. */
  rows: number;
  verdicts: VerdictCounts;
  /** Tokens that went through the model, over all calls that worked on this output. */
  tokens: number;
  /** Terms of the glossary that were replaced. */
  replacements: number;
  /** Seconds of this call, from start to end. */
  seconds: number;
  /** Seconds of this call in which rows were embedded; the rates are over these. */
  embeddingSeconds: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Floats per vector; `null` when there was no row. */
  dim: number | null;
  model: string;
  precision: string;
  /** Of the model; equal means comparable vectors. `null` when there was no row. */
  fingerprint: string | null;
  run: string;
  server: string | null;
  /** True when an earlier call had begun this output. */
  resumed: boolean;
  /** Absolute paths, or URLs of objects; `null` for a file that this output does not have. */
  output: string;
  ids: string | null;
  scales: string | null;
  report: string | null;
}

/** How a call went, as {@link summarize} needs it. */
export interface CallFigures {
  /** The run when this call began or found it. */
  before: RunInfo;
  /** The run when it was completed. */
  after: RunInfo;
  files: OutputFiles;
  server: string | null;
  resumed: boolean;
  seconds: number;
  embeddingSeconds: number;
}

export function summarize(figures: CallFigures): EmbedSummary {
  const { before, after, files, server, resumed, seconds, embeddingSeconds } = figures;
  const over = Math.max(embeddingSeconds, 0.001);
  return {
    rows: after.rows.done,
    verdicts: after.verdicts,
    tokens: after.tokens,
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
    resumed,
    output: files.vectors.name,
    ids: files.ids?.name ?? null,
    scales: files.scales?.name ?? null,
    report: files.report?.name ?? null,
  };
}

/** Three to five lines. @param shorten makes a path short for people */
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
    ids === null ? '' : `, ids in ${shorten(ids)}`,
    scales === null ? '' : `, scales in ${shorten(scales)}`,
  ].join('');
  const lines = [`${mark} ${paint('strong', shorten(summary.output))}: ${size}${beside}`];
  if (report !== null) {
    const what = missing === 1 ? '1 row has no vector' : `${formatCount(missing)} rows have no vector`;
    lines.push(paint('warning', `  ${what} (${describeMissing(verdicts)}); see ${shorten(report)}`));
  }
  if (verdicts.truncated > 0) {
    lines.push(
      `  ${formatNoun(verdicts.truncated, 'row')} had more tokens than the model reads and ${verdicts.truncated === 1 ? 'was' : 'were'} cut`,
    );
  }
  if (summary.replacements > 0)
    lines.push(`  ${formatNoun(summary.replacements, 'term')} of the glossary replaced`);
  const speed = `${formatRate(summary.rowsPerSecond)} rows/s, ${formatRate(summary.tokensPerSecond)} tokens/s`;
  lines.push(`  ${formatDuration(summary.seconds)}, ${speed}, ${formatCount(summary.tokens)} tokens`);
  const fingerprint = summary.fingerprint === null ? '' : `, fingerprint ${summary.fingerprint}`;
  lines.push(paint('quiet', `  ${summary.model} ${summary.precision}${fingerprint}`));
  if (server !== null) {
    lines.push(paint('quiet', `  run ${run} stays on ${server}; "embedmill runs delete ${run}" removes it`));
  }
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
