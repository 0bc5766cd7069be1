/**
 * How many tokens and how much time a file will take: from a sample of its texts and the speed that was
 * measured last.
 */

import { useEffect, useState } from 'preact/hooks';
import { type EmbeddedReply, embedTexts } from '../../api/embed.ts';
import { describeError } from '../../api/errors.ts';
import type { Overview } from '../../api/types.ts';
import { useOverview } from '../../overview.tsx';
import { count, duration, rate, share } from '../../ui/format.ts';
import { Loading } from '../../ui/states.tsx';
import type { Preview } from '../../upload/preview.ts';
import type { RunChoice } from './run-form.tsx';

/** Texts of the sample: half a second of one core. */
const SAMPLE_TEXTS = 32;

export function Estimate({ preview, choice }: { preview: Preview; choice: RunChoice }) {
  const { overview } = useOverview();
  const [sample, setSample] = useState<EmbeddedReply | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { textField, precision, truncate, clean } = choice;
  useEffect(() => {
    const leaving = new AbortController();
    setSample(null);
    setError(null);
    embedTexts(sampleOf(preview, textField), { precision, truncate, clean }, leaving.signal).then(
      setSample,
      (reason) => {
        if (!leaving.signal.aborted) setError(reason);
      },
    );
    return () => leaving.abort();
  }, [preview, textField, precision, truncate, clean]);

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

/** To two digits: no estimate is better. */
function roughly(n: number): string {
  return count(Number(n.toPrecision(2)));
}

/** Spread over the rows that were read. */
function sampleOf({ rows }: Preview, textField: string): string[] {
  const step = Math.max(1, rows.length / SAMPLE_TEXTS);
  const picked = Array.from(
    { length: Math.min(rows.length, SAMPLE_TEXTS) },
    (_, i) => rows[Math.floor(i * step)]!,
  );
  return picked.map((row) => row[textField] ?? '');
}

/** Of the workers that are there, or else of the last run that ended. */
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
