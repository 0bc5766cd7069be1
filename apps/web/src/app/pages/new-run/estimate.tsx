/** Estimate of the tokens and the time for a file, from a sample of its texts and the last measured speed. */

import { useEffect, useState } from 'preact/hooks';
import { describeError } from '../../api/errors.ts';
import type { Overview } from '../../api/types.ts';
import { requestVectors, type VectorsReply } from '../../api/vectors.ts';
import { useOverview } from '../../overview.tsx';
import { count, duration, rate, share } from '../../ui/format.ts';
import { Loading } from '../../ui/states.tsx';
import type { Preview } from '../../upload/preview.ts';
import type { RunChoice } from './run-form.tsx';

/** Texts per sample: half a second of work for one core. */
const SAMPLE_TEXTS = 32;

/** Embeds a sample with the chosen options and shows the estimate for the whole file. */
export function Estimate({ preview, choice }: { preview: Preview; choice: RunChoice }) {
  const { overview } = useOverview();
  const [sample, setSample] = useState<VectorsReply | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { textField, precision, truncate, clean, model, inputType } = choice;
  // Without Redis the workers are not known.
  const hasWorker = overview === null || overview.redis === null || overview.workers.length > 0;
  useEffect(() => {
    if (!hasWorker) return;
    const unmounted = new AbortController();
    setSample(null);
    setError(null);
    requestVectors(
      sampleOf(preview, textField),
      { precision, truncate, clean, ...(model && { model }), ...(inputType && { inputType }) },
      unmounted.signal,
    ).then(setSample, (reason) => {
      if (!unmounted.signal.aborted) setError(reason);
    });
    return () => unmounted.abort();
  }, [preview, textField, precision, truncate, clean, model, inputType, hasWorker]);

  const rows = preview.isWhole ? count(preview.rowsInFile) : `about ${roughly(preview.rowsInFile)}`;
  if (!hasWorker)
    return <NoEstimate rows={rows} reason="no worker is connected; the run starts when one is" />;
  if (error !== null) return <NoEstimate rows={rows} reason={describeError(error)} />;
  if (sample === null) return <Loading what="an estimate from a sample of texts" />;
  const { outcomes } = sample;
  const tokens = tokensOf(
    outcomes.map((outcome) => outcome.tokens),
    preview.rowsInFile,
  );
  const truncated = outcomes.filter(({ verdict }) => verdict === 'truncated').length;
  const speed = speedOf(overview);
  return (
    <dl class="facts">
      <dt>Rows</dt>
      <dd>{rows}</dd>
      <dt>Tokens</dt>
      <dd>{rangeText(roughly(tokens.low, Math.floor), roughly(tokens.high, Math.ceil))}</dd>
      <dt>Time</dt>
      <dd>
        {speed === null ? (
          'unknown before the first run'
        ) : (
          <>
            {timeText(tokens, speed.tokensPerSecond)}{' '}
            <span class="soft">
              at {rate(speed.tokensPerSecond)} tokens/s, {speed.source}
            </span>
          </>
        )}
      </dd>
      <dt>Over the limit</dt>
      <dd>{truncated === 0 ? 'none' : share(truncated, outcomes.length)} of the sample</dd>
    </dl>
  );
}

/** The number of rows, and why nothing else can be estimated. */
function NoEstimate({ rows, reason }: { rows: string; reason: string }) {
  return (
    <dl class="facts">
      <dt>Rows</dt>
      <dd>{rows}</dd>
      <dt>Time</dt>
      <dd>
        <span class="soft">no estimate:</span> {reason}
      </dd>
    </dl>
  );
}

/** Ends of an estimate. */
interface Range {
  low: number;
  high: number;
}

/** Standard errors on each side of a mean: about 95 % of samples. */
const STANDARD_ERRORS = 2;

/** How far the speed of the same workers differs from one file to the next, assumed. */
const SPEED_TOLERANCE = 0.2;

/** Tokens of all rows, from those of a sample. */
function tokensOf(sample: readonly number[], rows: number): Range {
  const n = sample.length;
  const mean = sample.reduce((sum, tokens) => sum + tokens, 0) / n;
  const variance = sample.reduce((sum, tokens) => sum + (tokens - mean) ** 2, 0) / Math.max(1, n - 1);
  // Without the rows of the sample itself, whose tokens are known.
  const error = STANDARD_ERRORS * Math.sqrt((variance / n) * Math.max(0, 1 - n / Math.max(n, rows)));
  return { low: rows * Math.max(0, mean - error), high: rows * (mean + error) };
}

/** Rounds to two digits, the accuracy of an estimate; `round` keeps the end of a range outside of it. */
function roughly(n: number, round: (n: number) => number = Math.round): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 1);
  return count(round(n / step) * step);
}

function timeText({ low, high }: Range, tokensPerSecond: number): string {
  const shortest = low / (tokensPerSecond * (1 + SPEED_TOLERANCE));
  const longest = high / (tokensPerSecond * (1 - SPEED_TOLERANCE));
  if (longest < 2) return 'about 1 s';
  const step = longest < 120 ? 1 : longest < 7200 ? 10 : 600;
  return rangeText(
    duration(Math.max(1, Math.floor(shortest / step) * step)),
    duration(Math.ceil(longest / step) * step),
  );
}

function rangeText(low: string, high: string): string {
  return low === high ? low : `${low} – ${high}`;
}

/** Picks texts at even distances from the preview. */
function sampleOf({ rows }: Preview, textField: string): string[] {
  const step = Math.max(1, rows.length / SAMPLE_TEXTS);
  const picked = Array.from(
    { length: Math.min(rows.length, SAMPLE_TEXTS) },
    (_, i) => rows[Math.floor(i * step)]!,
  );
  return picked.map((row) => row[textField] ?? '');
}

/** Speed of the connected workers, or else of the last completed run; `null` if neither is known. */
function speedOf(overview: Overview | null): { tokensPerSecond: number; source: string } | null {
  if (overview === null) return null;
  const { tokensPerSecondPerWorker, workers, runs } = overview;
  if (tokensPerSecondPerWorker !== null && workers.length > 0)
    return {
      tokensPerSecond: tokensPerSecondPerWorker * workers.length,
      source: 'measured on these workers',
    };
  const ended = runs.find(({ state, tokensPerSecond }) => state === 'completed' && tokensPerSecond > 0);
  return ended === undefined
    ? null
    : { tokensPerSecond: ended.tokensPerSecond, source: 'measured in the last run' };
}
