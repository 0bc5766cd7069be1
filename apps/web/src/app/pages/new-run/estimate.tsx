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
  useEffect(() => {
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
  }, [preview, textField, precision, truncate, clean, model, inputType]);

  const rows = preview.isWhole ? count(preview.rowsInFile) : `about ${roughly(preview.rowsInFile)}`;
  if (error !== null)
    return (
      <p>
        {rows} rows. <span class="soft">No estimate: {describeError(error)}</span>
      </p>
    );
  if (sample === null) return <Loading what="an estimate from a sample of texts" />;
  const { outcomes, usage } = sample;
  const tokens = (usage.tokens / outcomes.length) * preview.rowsInFile;
  const truncated = outcomes.filter(({ verdict }) => verdict === 'truncated').length;
  const speed = speedOf(overview);
  return (
    <dl class="facts">
      <dt>Rows</dt>
      <dd>{rows}</dd>
      <dt>Tokens</dt>
      <dd>about {roughly(tokens)}</dd>
      <dt>Time</dt>
      <dd>
        {speed === null ? (
          'unknown before the first run'
        ) : (
          <>
            about {duration(Math.max(1, tokens / speed.tokensPerSecond))}{' '}
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

/** Rounds to two digits, the accuracy of the estimate. */
function roughly(n: number): string {
  return count(Number(n.toPrecision(2)));
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
