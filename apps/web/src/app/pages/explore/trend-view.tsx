/** Topics over time: the share of each among the texts of each interval. */

import { useMemo } from 'preact/hooks';
import { shareChange, type TimeUnit, type Trend, topicTrend } from '../../explore/topic-tables.ts';
import { colorsOfTopics, topicColor } from '../../explore/topic-view.ts';
import type { AnalysisResults } from '../../explore/use-analysis.ts';
import { comparedColumn, type Explorer } from '../../explore/use-explorer.ts';
import { count, share } from '../../ui/format.ts';
import { Empty, Loading } from '../../ui/states.tsx';
import { ColumnChoice } from './column-choice.tsx';

/** Changes below this are shown as none, in percentage points. */
const MIN_CHANGE = 0.05;

const LINE = { width: 240, height: 36 } as const;

/** Renders a line for each topic, those that changed the most first. */
export function TrendView({ explorer, results }: { explorer: Explorer; results: AnalysisResults }) {
  const { state, update, columns, values, crossed } = explorer;
  const column = comparedColumn(state, columns);
  const known = column === null ? undefined : values.get(column.name);
  const colorOf = useMemo(() => colorsOfTopics(results), [results]);
  const trend = useMemo(
    () =>
      known?.kind === 'date'
        ? topicTrend(known.numbers, results.topicOf, results.topics.length, crossed.mask)
        : null,
    [known, results.topicOf, results.topics.length, crossed],
  );
  if (column === null) {
    return (
      <Empty title="No dates in this run.">
        <p>Keep a column with dates when you start a run to see how its topics change over time.</p>
      </Empty>
    );
  }
  if (known === undefined) return <Loading what="the dates" />;
  if (trend === null) return <Empty title="No dates among these texts." />;
  const topics = results.topics
    .filter(({ topic }) => trend.counts[topic]!.some((n) => n > 0))
    .map((topic) => ({ topic, change: shareChange(trend, trend.counts[topic.topic]!) }))
    .sort((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0));
  const max = Math.max(
    1e-9,
    ...topics.flatMap(({ topic }) => [...sharesOf(trend, trend.counts[topic.topic]!)].map((n) => n ?? 0)),
  );
  return (
    <>
      <div class="map-head">
        <ColumnChoice label="Dates from" kind="date" chosen={column.name} explorer={explorer} />
        <p class="soft small">
          Share of each topic by {trend.unit}, {intervalName(trend.starts[0]!, trend.unit)} to{' '}
          {intervalName(trend.starts.at(-1)!, trend.unit)} (UTC). The change compares the last third with the
          first.
        </p>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable with the keyboard */}
      <section class="compare" tabIndex={0} aria-label={`Topics by ${column.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Share</th>
              <th scope="col" class="number">
                Texts
              </th>
              <th scope="col" class="number">
                Change
              </th>
            </tr>
          </thead>
          <tbody>
            {topics.map(({ topic: { topic, name }, change }) => (
              <tr key={topic}>
                <th scope="row">
                  <button
                    type="button"
                    class="link-button"
                    onClick={() => update({ topics: [topic], row: null })}
                  >
                    {name}
                  </button>
                </th>
                <td>
                  <TrendLine
                    trend={trend}
                    counts={trend.counts[topic]!}
                    max={max}
                    color={topicColor(colorOf, topic)}
                  />
                </td>
                <td class="number">{count(trend.counts[topic]!.reduce((sum, n) => sum + n, 0))}</td>
                <td class="number">{changeText(change)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function TrendLine({
  trend,
  counts,
  max,
  color,
}: {
  trend: Trend;
  counts: Uint32Array;
  max: number;
  color: string;
}) {
  const shares = sharesOf(trend, counts);
  const step = LINE.width / Math.max(1, shares.length - 1);
  const points = shares.flatMap((part, n) =>
    part === null
      ? []
      : [`${(n * step).toFixed(1)},${(LINE.height - 3 - ((LINE.height - 6) * part) / max).toFixed(1)}`],
  );
  const first = shares.find((part) => part !== null) ?? 0;
  const last = shares.findLast((part) => part !== null) ?? 0;
  return (
    <svg
      class="trend-line"
      viewBox={`0 0 ${LINE.width} ${LINE.height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`from ${share(first, 1)} to ${share(last, 1)}`}
    >
      <polyline points={points.join(' ')} style={{ stroke: color }} />
    </svg>
  );
}

/** The share of the rows of each interval; `null` for intervals without rows. */
function sharesOf({ totals }: Trend, counts: Uint32Array): (number | null)[] {
  return [...counts].map((n, i) => (totals[i] === 0 ? null : n / totals[i]!));
}

function changeText(change: number | null): string {
  if (change === null) return '';
  if (Math.abs(change) < MIN_CHANGE) return 'none';
  return `${change > 0 ? '+' : '−'}${Math.abs(change).toFixed(1)} points`;
}

/** Names an interval: `2024-01-31`, `2024-01`, `2024 Q1`, `2024`. */
function intervalName(start: number, unit: TimeUnit): string {
  const iso = new Date(start).toISOString();
  if (unit === 'year') return iso.slice(0, 4);
  if (unit === 'quarter') return `${iso.slice(0, 4)} Q${1 + Math.floor(new Date(start).getUTCMonth() / 3)}`;
  return iso.slice(0, unit === 'month' ? 7 : 10);
}
