/** Topics against a category: the share of each topic among the texts of each value. */

import { useMemo } from 'preact/hooks';
import { compareTopics } from '../../explore/topic-tables.ts';
import { colorsOfTopics, topicColor } from '../../explore/topic-view.ts';
import type { AnalysisResults } from '../../explore/use-analysis.ts';
import { comparedColumn, type Explorer } from '../../explore/use-explorer.ts';
import { count, plural, share } from '../../ui/format.ts';
import { Empty, Loading } from '../../ui/states.tsx';
import { ColumnChoice } from './column-choice.tsx';

/** Renders the table; a click on a cell shows its texts. */
export function CompareView({ explorer, results }: { explorer: Explorer; results: AnalysisResults }) {
  const { state, update, columns, values, crossed } = explorer;
  const column = comparedColumn(state, columns);
  const known = column === null ? undefined : values.get(column.name);
  const colorOf = useMemo(() => colorsOfTopics(results), [results]);
  const comparison = useMemo(
    () =>
      known?.kind === 'category'
        ? compareTopics(known, results.topicOf, results.topics.length, crossed.mask)
        : null,
    [known, results.topicOf, results.topics.length, crossed],
  );
  if (column === null) {
    return (
      <Empty title="No column to compare by.">
        <p>
          Keep a column with a few different values, such as a department or a rating, when you start a run.
        </p>
      </Empty>
    );
  }
  if (comparison === null) return <Loading what="the values" />;
  const { categories, counts } = comparison;
  const topics = results.topics.filter(({ topic }) => counts[topic]!.some((n) => n > 0));
  const max = Math.max(
    1e-9,
    ...topics.flatMap(({ topic }) => [...counts[topic]!].map((n, i) => n / Math.max(1, categories[i]!.rows))),
  );
  return (
    <>
      <div class="map-head">
        <ColumnChoice label="Compare by" kind="category" chosen={column.name} explorer={explorer} />
        <p class="soft small">
          Share of each topic among the texts of each column. Select a cell to read its texts.
        </p>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable with the keyboard */}
      <section class="compare" tabIndex={0} aria-label={`Topics by ${column.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Topic</th>
              {categories.map(({ name, rows }) => (
                <th key={name} scope="col">
                  {name === '' ? '(empty)' : name}
                  <span class="block soft">{count(rows)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {topics.map(({ topic, name }) => (
              <tr key={topic}>
                <th scope="row">
                  <span
                    class="legend-dot"
                    style={{ backgroundColor: topicColor(colorOf, topic) }}
                    aria-hidden="true"
                  />{' '}
                  {name}
                </th>
                {categories.map(({ name: category, values: members, rows }, i) => {
                  const n = counts[topic]![i]!;
                  return (
                    <td key={category}>
                      <button
                        type="button"
                        class="compare-cell"
                        disabled={n === 0}
                        title={`${count(n)} ${plural(n, 'text')}`}
                        onClick={() =>
                          update({
                            topics: [topic],
                            filters: { ...state.filters, [column.name]: { kind: 'in', values: members } },
                            row: null,
                          })
                        }
                      >
                        <span class="compare-bar" aria-hidden="true">
                          <span
                            class="compare-fill"
                            style={{
                              width: `${(100 * n) / Math.max(1, rows) / max}%`,
                              backgroundColor: topicColor(colorOf, topic),
                            }}
                          />
                        </span>
                        <span class="compare-share">{share(n, rows)}</span>
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
