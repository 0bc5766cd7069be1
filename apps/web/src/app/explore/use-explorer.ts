/** Hook that combines the state of the Explore page with the data of a run: which rows are shown, and in which order. */

import type { RunColumn, RunInfo, RunTopic } from '@embedmill/contract';
import { useMemo, useState } from 'preact/hooks';
import type { ColumnValues } from './column-values.ts';
import { type ExploreState, isFiltered, isSearch } from './explore-state.ts';
import {
  areaMask,
  type Crossed,
  columnMask,
  crossFilter,
  type Dimension,
  rowMask,
  topicMask,
} from './filter-rows.ts';
import { type OrderBy, orderRows } from './row-order.ts';
import { RowTexts } from './row-texts.ts';
import {
  type AnalysisResults,
  type LiveAnalysis,
  type LoadedResults,
  useAnalysis,
  useResults,
} from './use-analysis.ts';
import { isUsable, useColumns, useColumnValues } from './use-columns.ts';
import { type UpdateState, useExploreState } from './use-explore-state.ts';
import { type LiveSearch, useSearch } from './use-search.ts';

/** Everything that the parts of the page share. */
export interface Explorer {
  run: RunInfo;
  /** Rows of the run. */
  total: number;
  state: ExploreState;
  update: UpdateState;
  analysis: LiveAnalysis;
  loaded: LoadedResults;
  /** `null` until the analysis is ready. */
  results: AnalysisResults | null;
  topics: readonly RunTopic[];
  /** Columns of the run, one per name. */
  columns: readonly RunColumn[];
  /** Values of the columns that are in use. */
  values: ReadonlyMap<string, ColumnValues>;
  columnError: unknown;
  search: LiveSearch;
  /** The filters combined. */
  crossed: Crossed;
  isFiltered: boolean;
  /** The rows of the table, in order. */
  order: Uint32Array;
  texts: RowTexts;
  /** The row under the pointer in the table; `null` for none. */
  hovered: number | null;
  setHovered: (row: number | null) => void;
}

/** Key of each filter that is not a column; columns have the key `column.<name>`. */
export const FILTER_KEYS = { topics: 'topics', search: 'search', area: 'area' } as const;

/** Loads what the state needs. */
export function useExplorer(run: RunInfo): Explorer {
  const [state, update] = useExploreState();
  const total = run.rows.accepted;
  const analysis = useAnalysis(run.id);
  const loaded = useResults(run.id, analysis.status?.state === 'ready');
  const { results } = loaded;
  const columns = useColumns(run.id);
  const { values, error: columnError } = useColumnValues(run.id, columns, columnsInUse(state, columns));
  const search = useSearch(run.id, state);
  const texts = useMemo(() => new RowTexts(run.id), [run.id]);
  const [hovered, setHovered] = useState<number | null>(null);

  const topicDimension = useMemo(
    () =>
      state.topics.length === 0 || results === null
        ? null
        : { key: FILTER_KEYS.topics, passes: topicMask(results.topicOf, state.topics) },
    [state.topics.join('.'), results?.topicOf],
  );
  const areaDimension = useMemo(
    () =>
      state.area.length === 0 || results === null
        ? null
        : { key: FILTER_KEYS.area, passes: areaMask(results.points, state.area) },
    [state.area.join('_'), results?.points],
  );
  const hits = search.result?.hits ?? null;
  const searchDimension = useMemo(
    () =>
      hits === null
        ? null
        : {
            key: FILTER_KEYS.search,
            passes: rowMask(
              total,
              hits.map(({ row }) => row),
            ),
          },
    [hits, total],
  );
  const crossed = useMemo(() => {
    const dimensions: (Dimension | null)[] = [topicDimension, areaDimension, searchDimension];
    for (const [name, filter] of Object.entries(state.filters)) {
      const known = values.get(name);
      if (known !== undefined) dimensions.push({ key: `column.${name}`, passes: columnMask(known, filter) });
    }
    return crossFilter(
      total,
      dimensions.filter((dimension) => dimension !== null),
    );
  }, [topicDimension, areaDimension, searchDimension, state.filters, values, total]);
  const order = useMemo(
    () => orderRows(crossed.mask, orderOf(state, results, values, hits?.map(({ row }) => row) ?? null)),
    [crossed, state.sort, hits, results?.scores, values],
  );
  return {
    run,
    total,
    state,
    update,
    analysis,
    loaded,
    results,
    topics: results?.topics ?? [],
    columns,
    values,
    columnError,
    search,
    crossed,
    isFiltered: isFiltered(state),
    order,
    texts,
    hovered,
    setHovered,
  };
}

/** The order that the state asks for. */
function orderOf(
  state: ExploreState,
  results: AnalysisResults | null,
  values: ReadonlyMap<string, ColumnValues>,
  hits: readonly number[] | null,
): OrderBy {
  const isDescending = state.sort.startsWith('-');
  const sort = isDescending ? state.sort.slice(1) : state.sort;
  if (sort === 'row') return { by: 'row' };
  if (sort === 'score' && results !== null) return { by: 'score', scores: results.scores };
  if (sort.startsWith('column.')) {
    const known = values.get(sort.slice('column.'.length));
    return known === undefined ? { by: 'row' } : { by: 'column', values: known, isDescending };
  }
  if (isSearch(state) && hits !== null) return { by: 'hits', rows: hits };
  if (results === null) return { by: 'row' };
  if (state.area.length > 0) return { by: 'center', points: results.points };
  return state.topics.length > 0 ? { by: 'score', scores: results.scores } : { by: 'row' };
}

/** Names of the columns whose values the state needs. */
function columnsInUse(state: ExploreState, columns: readonly RunColumn[]): string[] {
  const usable = columns.filter(isUsable);
  const named = [state.color, state.sort.replace(/^-/, '')].flatMap((choice) =>
    choice.startsWith('column.') ? [choice.slice('column.'.length)] : [],
  );
  const compared = comparedColumn(state, columns);
  return [
    ...Object.keys(state.filters),
    ...named,
    ...(state.panel === 'filters' ? usable.map(({ name }) => name) : []),
    ...(compared === null ? [] : [compared.name]),
  ];
}

/** The column of the views `compare` (categories) and `trend` (dates); `null` for other views or without one. */
export function comparedColumn(state: ExploreState, columns: readonly RunColumn[]): RunColumn | null {
  const kind = state.view === 'compare' ? 'category' : state.view === 'trend' ? 'date' : null;
  const suitable = columns.filter((column) => column.kind === kind && isUsable(column));
  return suitable.find(({ name }) => name === state.by) ?? suitable[0] ?? null;
}
