/**
 * The table of the shown rows: virtual, so that all of them can be reached by scrolling and with the keyboard.
 *
 * The focus stays on the table; the active row is named by `aria-activedescendant`, because rows come and go.
 */

import type { SearchHit } from '@embedmill/contract';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { dayOf, numberText } from '../../explore/describe-filter.ts';
import { isSearch } from '../../explore/explore-state.ts';
import { useRowTexts } from '../../explore/row-texts.ts';
import { colorsOfTopics, topicColor } from '../../explore/topic-view.ts';
import { isUsable } from '../../explore/use-columns.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { areaHeight, fullTop, type RowList, renderedRows, scrollToShow } from '../../explore/virtual-rows.ts';
import { count } from '../../ui/format.ts';
import { Empty, Failure } from '../../ui/states.tsx';
import { MarkedText } from './marked-text.tsx';
import { OpenRow } from './open-row.tsx';

/** Heights of a row, as in the stylesheet. */
const ROW_PX = { wide: 62, narrow: 96 } as const;
const NARROW = matchMedia('(max-width: 860px)');

/** Renders the table. */
export function RowTable({ explorer }: { explorer: Explorer }) {
  const { state, update, order, columns, results, search, total } = explorer;
  const sortable = columns.filter(isUsable);
  return (
    <section class="card explore-rows" aria-label="Texts">
      <div class="card-head">
        <h2>Texts</h2>
        <label class="sort-choice">
          Order
          <select
            value={state.sort}
            onChange={(event) => update({ sort: event.currentTarget.value }, 'replace')}
          >
            <option value="auto">{automaticOrder(explorer)}</option>
            <option value="row">as in the file</option>
            {results !== null && <option value="score">typical of the topic first</option>}
            {sortable.flatMap(({ name }) => [
              <option key={name} value={`column.${name}`}>
                {name}, ascending
              </option>,
              <option key={`-${name}`} value={`-column.${name}`}>
                {name}, descending
              </option>,
            ])}
          </select>
        </label>
      </div>
      {order.length === 0 && !search.isLoading ? (
        <Empty title="No texts match.">
          <p>Remove a filter above to see more of the {count(total)} texts.</p>
        </Empty>
      ) : (
        <Grid explorer={explorer} />
      )}
    </section>
  );
}

function automaticOrder({ state, results, search }: Explorer): string {
  if (search.result !== null) return 'best match first';
  if (state.area.length > 0 && results !== null) return 'nearest to the middle first';
  return state.topics.length > 0 && results !== null ? 'most typical first' : 'as in the file';
}

function Grid({ explorer }: { explorer: Explorer }) {
  const { order, state, update, texts, search, setHovered } = explorer;
  const box = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewportPx, setViewportPx] = useState(480);
  const [openPx, setOpenPx] = useState(0);
  const [active, setActive] = useState(0);
  const [isNarrow, setIsNarrow] = useState(NARROW.matches);
  const rowPx = isNarrow ? ROW_PX.narrow : ROW_PX.wide;
  const open = useMemo(() => (state.row === null ? -1 : order.indexOf(state.row)), [state.row, order]);
  const list: RowList = { count: order.length, rowPx, open, openPx: open < 0 ? 0 : openPx, viewportPx };
  const hits = useMemo(
    () => new Map(search.result?.hits.map((hit): [number, SearchHit] => [hit.row, hit]) ?? []),
    [search.result],
  );

  useEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(() => setViewportPx(element.clientHeight));
    observer.observe(element);
    const onWidth = () => setIsNarrow(NARROW.matches);
    NARROW.addEventListener('change', onWidth);
    return () => {
      observer.disconnect();
      NARROW.removeEventListener('change', onWidth);
    };
  }, []);

  const show = (position: number) => {
    const element = box.current!;
    const top = scrollToShow(list, position, element.scrollTop);
    if (top !== element.scrollTop) element.scrollTop = top;
    setScrollTop(element.scrollTop);
  };
  // A row that was opened on the map or by the address comes into view; a new order starts at the top.
  const orderShown = useRef(order);
  const isShown = useRef(false);
  useLayoutEffect(() => {
    if (orderShown.current !== order) {
      orderShown.current = order;
      setActive(Math.max(0, open));
      if (open < 0) {
        box.current!.scrollTop = 0;
        setScrollTop(0);
      }
    }
    isShown.current = open < 0;
    if (open >= 0) {
      setActive(open);
      show(open);
    }
  }, [open, order]);
  // Once more when its height is known, but not when the reader has scrolled on.
  useLayoutEffect(() => {
    if (isShown.current || openPx === 0) return;
    isShown.current = true;
    show(open);
  }, [open, openPx]);

  const { first, end, shiftPx } = renderedRows(list, scrollTop);
  const rendered = [...order.subarray(first, end)];
  useRowTexts(texts, rendered);

  const move = (position: number) => {
    const next = Math.max(0, Math.min(order.length - 1, position));
    setActive(next);
    setHovered(order[next] ?? null);
    // With a row open, the arrows read row after row.
    if (open >= 0) update({ row: order[next]! }, 'replace');
    else show(next);
  };
  const page = Math.max(1, Math.floor(viewportPx / rowPx) - 1);
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + page),
    PageUp: () => move(active - page),
    Home: () => move(0),
    End: () => move(order.length - 1),
    Enter: () => update({ row: open === active ? null : order[active]! }, 'replace'),
    Escape: () => update({ row: null }, 'replace'),
  };
  const isActiveRendered = active >= first && active < end;
  return (
    <>
      {texts.error !== null && <Failure error={texts.error} onRetry={() => texts.want(rendered)} />}
      {/* biome-ignore lint/a11y/useSemanticElements: a virtual table has rows that are not in the document */}
      <div
        ref={box}
        class={hasFigures(explorer) ? 'rows rows-figured' : 'rows'}
        role="grid"
        aria-label="Texts; arrow keys move, Enter opens a text, Escape closes it"
        aria-rowcount={order.length}
        aria-activedescendant={isActiveRendered ? `row-${order[active]}` : undefined}
        tabIndex={0}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => {
          const action = keys[event.key];
          if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
          // Buttons inside an open row handle their own keys, except Escape.
          if (event.target !== event.currentTarget && event.key !== 'Escape') return;
          event.preventDefault();
          action();
          if (event.key === 'Escape') box.current!.focus();
        }}
        onMouseLeave={() => setHovered(null)}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div class="rows-area" role="rowgroup" style={{ height: `${areaHeight(list)}px` }}>
          {rendered.map((row, n) => (
            <Row
              key={row}
              row={row}
              position={first + n}
              top={fullTop(list, first + n) + shiftPx}
              rowPx={rowPx}
              isActive={first + n === active}
              isOpen={row === state.row}
              hit={hits.get(row)}
              explorer={explorer}
              onOpenPx={setOpenPx}
              onActive={() => setActive(first + n)}
            />
          ))}
        </div>
      </div>
    </>
  );
}

function Row({
  row,
  position,
  top,
  rowPx,
  isActive,
  isOpen,
  hit,
  explorer,
  onOpenPx,
  onActive,
}: {
  row: number;
  position: number;
  top: number;
  rowPx: number;
  isActive: boolean;
  isOpen: boolean;
  hit: SearchHit | undefined;
  explorer: Explorer;
  onOpenPx: (px: number) => void;
  onActive: () => void;
}) {
  const { texts, results, topics, update, setHovered } = explorer;
  const known = texts.get(row);
  const colorOf = useMemo(() => (results === null ? null : colorsOfTopics(results)), [results]);
  const topic = topics[results?.topicOf[row] ?? -1];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of a virtual table
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the table does the same
    <div
      role="row"
      id={`row-${row}`}
      class={`row${isActive ? ' row-active' : ''}${isOpen ? ' row-open' : ''}`}
      aria-rowindex={position + 1}
      aria-selected={isOpen}
      style={{ transform: `translateY(${top}px)` }}
      tabIndex={-1}
      onMouseEnter={() => setHovered(row)}
      onClick={(event) => {
        if ((event.target as Element).closest('.row-details') !== null) return;
        onActive();
        update({ row: isOpen ? null : row }, 'replace');
      }}
    >
      <div class="row-line" role="presentation" style={{ height: `${rowPx}px` }}>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <span role="gridcell" class="row-text" tabIndex={-1}>
          {known === undefined ? (
            <span class="skeleton">
              <span class="unseen">Loading</span>
            </span>
          ) : known.text === null || known.text === '' ? (
            <span class="soft">(no text)</span>
          ) : (
            <MarkedText text={known.text} spans={hit?.spans ?? []} />
          )}
        </span>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <span role="gridcell" class="row-topic" tabIndex={-1}>
          {topic !== undefined && colorOf !== null && (
            <>
              <span
                class="legend-dot"
                style={{ backgroundColor: topicColor(colorOf, topic.topic) }}
                aria-hidden="true"
              />
              <span class="clip-line">{topic.name}</span>
            </>
          )}
        </span>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <span role="gridcell" class="row-value" tabIndex={-1}>
          {figureOf(row, hit, explorer)}
        </span>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <span role="gridcell" class="row-actions" tabIndex={-1}>
          <button
            type="button"
            tabIndex={-1}
            class="row-like"
            onClick={(event) => {
              event.stopPropagation();
              update({ like: row, search: '', sort: 'auto', row: null });
            }}
          >
            More like this
          </button>
        </span>
      </div>
      {isOpen && known !== undefined && (
        <OpenRow known={known} hit={hit} topic={topic} explorer={explorer} onHeight={onOpenPx} />
      )}
    </div>
  );
}

/** Whether rows have a figure at their end. */
function hasFigures({ state, results }: Explorer): boolean {
  const named = [state.sort.replace(/^-/, ''), state.color];
  if (isSearch(state) || named.some((part) => part.startsWith('column.'))) return true;
  return results !== null && (state.topics.length > 0 || named[0] === 'score');
}

/** The ranks of a hit in a few words: `meaning 3, words 1`. */
function ranksOf({ rank }: SearchHit): string {
  const parts = [
    rank.vector === null ? '' : `meaning ${count(rank.vector)}`,
    rank.words === null ? '' : `words ${count(rank.words)}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** The figure at the end of a row: its ranks or score, or the value that rows are ordered or coloured by. */
function figureOf(row: number, hit: SearchHit | undefined, { state, values, results }: Explorer): string {
  const choice = state.sort.replace(/^-/, '');
  const name = [choice, state.color].find((part) => part.startsWith('column.'))?.slice('column.'.length);
  const known = name === undefined ? undefined : values.get(name);
  if (known !== undefined) {
    if (known.kind === 'category') return known.values[known.codes[row]!] ?? '';
    const n = known.numbers[row]!;
    return Number.isNaN(n) ? '' : known.kind === 'date' ? dayOf(n) : numberText(n);
  }
  if (hit !== undefined) return state.like === null ? ranksOf(hit) : (hit.score?.toFixed(2) ?? '');
  const score = results?.scores[row];
  const isRanked = choice === 'score' || state.topics.length > 0;
  return score === undefined || Number.isNaN(score) || !isRanked ? '' : score.toFixed(2);
}
