/** The map of the Explore page, with the choice of its colours, their legend and the text under the pointer. */

import { useMemo, useState } from 'preact/hooks';
import { areaOf } from '../../explore/explore-state.ts';
import { colorByColumn, colorByTopic, type PointColors } from '../../explore/point-colors.ts';
import { useRowTexts } from '../../explore/row-texts.ts';
import { colorsOfTopics, labelsOf } from '../../explore/topic-view.ts';
import type { AnalysisResults } from '../../explore/use-analysis.ts';
import { isUsable } from '../../explore/use-columns.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { PointMap } from '../../map/point-map.tsx';
import { useTheme } from '../../theme.ts';
import { count, plural } from '../../ui/format.ts';
import { LegendView } from './legend.tsx';

/** Hits with a ring on the map; the others are drawn in full colour as well. */
const MAX_RINGS = 8;

/** Renders the map. */
export function MapPanel({ explorer, results }: { explorer: Explorer; results: AnalysisResults }) {
  const { state, update, values, columns, crossed, isFiltered, search, hovered, texts } = explorer;
  const theme = useTheme();
  const [pointed, setPointed] = useState<{ row: number; x: number; y: number } | null>(null);
  const column = state.color.startsWith('column.') ? state.color.slice('column.'.length) : null;
  const columnValues = column === null ? undefined : values.get(column);
  const coloring = useMemo((): Omit<PointColors, 'legend'> & Partial<PointColors> => {
    if (columnValues !== undefined) return colorByColumn(columnValues, theme);
    return colorByTopic(results.topicOf, colorsOfTopics(results));
  }, [columnValues, results, theme]);
  const labels = useMemo(() => labelsOf(results), [results]);
  const rings = useMemo(() => {
    const hits = search.result?.hits.slice(0, MAX_RINGS).map(({ row }) => row) ?? [];
    return hovered === null ? hits : [...hits, hovered];
  }, [search.result, hovered]);
  const open = useMemo(() => (state.row === null ? [] : [state.row]), [state.row]);
  return (
    <>
      <div class="map-head">
        <label class="map-colors">
          Colour by
          <select
            value={state.color}
            onChange={(event) => update({ color: event.currentTarget.value }, 'replace')}
          >
            <option value="topic">topic</option>
            {columns.filter(isUsable).map(({ name }) => (
              <option key={name} value={`column.${name}`}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {coloring.legend !== undefined && column !== null && (
          <LegendView legend={coloring.legend} column={column} explorer={explorer} />
        )}
      </div>
      <div class="explore-map">
        <PointMap
          points={results.points}
          colors={coloring.colors}
          palette={coloring.palette}
          visible={isFiltered ? crossed.mask : null}
          highlighted={rings}
          selected={open}
          labels={labels}
          view={state.map}
          onView={(map) => update({ map }, 'replace')}
          onHover={(row, { x, y }) => setPointed(row === null ? null : { row, x, y })}
          onSelect={(rows, lasso) => {
            if (lasso !== null)
              update({ area: rows.length === 0 ? [] : areaOf(lasso), row: null, sort: 'auto' });
            else if (rows.length > 0) update({ row: rows[0]! }, 'replace');
            else if (state.row !== null) update({ row: null }, 'replace');
          }}
          name={`Map of ${count(explorer.total)} ${plural(explorer.total, 'text')} in ${count(results.topics.length)} ${plural(results.topics.length, 'topic')}; the list of topics and the table show the same.`}
        />
        {pointed !== null && <Tooltip key={pointed.row} {...pointed} explorer={explorer} texts={texts} />}
      </div>
    </>
  );
}

function Tooltip({
  row,
  x,
  y,
  explorer: { results, topics },
  texts,
}: {
  row: number;
  x: number;
  y: number;
  explorer: Explorer;
  texts: Explorer['texts'];
}) {
  useRowTexts(texts, [row]);
  const found = texts.get(row);
  const topic = topics[results?.topicOf[row] ?? -1];
  if (found === undefined) return null;
  return (
    <div class="map-tooltip" aria-hidden="true" style={{ left: `${x}px`, top: `${y}px` }}>
      <p class="clip">{found.text ?? '(no text)'}</p>
      {topic !== undefined && <p class="soft small">{topic.name}</p>}
    </div>
  );
}
