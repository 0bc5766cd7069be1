/** The pace of a run and the lengths of its texts, as charts. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RunStatistics } from '../../api/types.ts';
import { Chart } from '../../ui/chart.tsx';
import { columnOptions, paceOptions } from '../../ui/chart-kinds.ts';
import { count, duration, rate } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useAnswer } from '../../ui/use-answer.ts';

/** Batches end in gusts; the mean over so many seconds is what a reader takes for the speed. */
const MEAN_S = 10;

/** A run at work is looked at again after so long; its figures above are live. */
const AGAIN_MS = 4000;

export function RunCharts({ run }: { run: RunInfo }) {
  const tick = useTick(run.state === 'open' || run.state === 'sealed');
  const version = `${run.state} ${tick}`;
  const { value, error, again } = useAnswer<RunStatistics>(`v1/runs/${run.id}/statistics`, version);
  if (value === null) {
    return (
      <Section title="Charts">
        {error === null ? <Loading what="the charts" /> : <Failure error={error} onRetry={again} />}
      </Section>
    );
  }
  return (
    <div class="columns">
      <Section title="Throughput">
        <Throughput statistics={value} />
      </Section>
      <Section title="Text lengths">
        <Lengths statistics={value} />
      </Section>
    </div>
  );
}

function Throughput({ statistics: { pace } }: { statistics: RunStatistics }) {
  const data = useMemo((): [number[], number[]] => {
    const start = Date.parse(pace.startedAt ?? '') / 1000;
    const step = pace.intervalMs / 1000;
    return [pace.rows.map((_, i) => start + i * step), meanOver(pace.rows, Math.ceil(MEAN_S / step), step)];
  }, [pace]);
  if (pace.rows.length < 2) {
    return (
      <Empty title="No data.">
        <p>The server keeps the curve in memory; this run was too short, or ended before the last restart.</p>
      </Empty>
    );
  }
  const seconds = (pace.rows.length * pace.intervalMs) / 1000;
  const most = Math.max(...data[1]);
  return (
    <Chart
      title={`Rows/s, mean of ${Math.max(MEAN_S, pace.intervalMs / 1000)} s`}
      summary={`Rows per second over ${duration(seconds)}; at most ${rate(most)}.`}
      data={data}
      options={paceOptions}
    />
  );
}

function Lengths({ statistics: { lengths, rows } }: { statistics: RunStatistics }) {
  const data = useMemo(
    (): [number[], number[]] => [
      lengths.map((bucket) => bucket.fromTokens),
      lengths.map((bucket) => bucket.rows),
    ],
    [lengths],
  );
  if (rows === 0) return <Empty title="No rows are stored yet." />;
  return (
    <Chart
      title={`Texts by tokens, ${count(rows)} rows`}
      summary={`Histogram of ${count(rows)} rows by tokens. ${mostCommon(lengths)}`}
      data={data}
      options={columnOptions({ x: 'tokens of the text', y: 'rows' })}
    />
  );
}

function mostCommon(lengths: RunStatistics['lengths']): string {
  const top = lengths.reduce((best, bucket) => (bucket.rows > best.rows ? bucket : best));
  return `Most texts have ${top.fromTokens} tokens or a few more.`;
}

/** The mean of each interval and the ones before it, at most `width`, per second. */
function meanOver(rows: readonly number[], width: number, stepSeconds: number): number[] {
  return rows.map((_, i) => {
    const window = rows.slice(Math.max(0, i + 1 - width), i + 1);
    return window.reduce((sum, n) => sum + n, 0) / (window.length * stepSeconds);
  });
}

/** Grows every few seconds while `isOn`. */
function useTick(isOn: boolean): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setTick((n) => n + 1), AGAIN_MS);
    return () => clearInterval(timer);
  }, [isOn]);
  return tick;
}
