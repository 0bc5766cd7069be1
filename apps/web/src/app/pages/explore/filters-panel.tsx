/** Filters by column: values of categories with counts, and ranges of numbers and dates. */

import type { RunColumn } from '@embedmill/contract';
import { useMemo, useState } from 'preact/hooks';
import { type ColumnValues, rangeOf } from '../../explore/column-values.ts';
import { dayOf, numberText } from '../../explore/describe-filter.ts';
import type { ColumnFilter } from '../../explore/explore-state.ts';
import { crossCounts } from '../../explore/filter-rows.ts';
import { isUsable } from '../../explore/use-columns.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count } from '../../ui/format.ts';
import { Failure, Loading } from '../../ui/states.tsx';

/** Values that are shown at first. */
const SHOWN_VALUES = 8;

/** Bars of the distribution of a number. */
const BINS = 24;

const DAY_MS = 86_400_000;

/** Renders a filter for each column that can have one. */
export function FiltersPanel({ explorer }: { explorer: Explorer }) {
  const { columns, columnError, values } = explorer;
  const usable = columns.filter(isUsable);
  const hasInput = columns.some(({ source }) => source === 'input');
  return (
    <div class="filters">
      {columnError !== null && <Failure error={columnError} />}
      {usable.map((column) => (
        <ColumnFilterView
          key={column.name}
          column={column}
          values={values.get(column.name)}
          explorer={explorer}
        />
      ))}
      {columns.length > 0 && !hasInput && (
        <p class="soft small">
          This run kept no columns of its file. Choose columns when you start a run to filter by them here.
        </p>
      )}
    </div>
  );
}

function ColumnFilterView({
  column: { name, missing },
  values,
  explorer,
}: {
  column: RunColumn;
  values: ColumnValues | undefined;
  explorer: Explorer;
}) {
  const { state, update } = explorer;
  const filter = state.filters[name];
  const setFilter = (next: ColumnFilter | null) => {
    const { [name]: _, ...others } = state.filters;
    update({ filters: next === null ? others : { ...others, [name]: next }, row: null });
  };
  return (
    <fieldset class="filter">
      <legend>
        {name}
        {missing > 0 && <span class="soft small"> {count(missing)} without a value</span>}
      </legend>
      {values === undefined ? (
        <Loading what="the values" />
      ) : values.kind === 'category' ? (
        <Values name={name} values={values} filter={filter} explorer={explorer} setFilter={setFilter} />
      ) : (
        <Range name={name} values={values} filter={filter} explorer={explorer} setFilter={setFilter} />
      )}
    </fieldset>
  );
}

/** What the filters of both kinds get. */
interface FilterProps<Kind extends ColumnValues['kind']> {
  name: string;
  values: Extract<ColumnValues, { kind: Kind }>;
  filter: ColumnFilter | undefined;
  explorer: Explorer;
  setFilter: (filter: ColumnFilter | null) => void;
}

function Values({ name, values, filter, explorer, setFilter }: FilterProps<'category'>) {
  const [showsAll, setShowsAll] = useState(false);
  const [part, setPart] = useState('');
  const { crossed } = explorer;
  const counts = useMemo(
    () => crossCounts(crossed, `column.${name}`, values.codes, values.values.length),
    [crossed, name, values],
  );
  const sizes = useMemo(() => {
    const all = new Uint32Array(values.values.length);
    for (const code of values.codes) if (code >= 0) all[code]! += 1;
    return all;
  }, [values]);
  const chosen = filter?.kind === 'in' ? filter.values : [];
  const isLong = sizes.filter((rows) => rows > 0).length > SHOWN_VALUES + 2;
  // Short lists, such as ratings, keep the order of the column.
  const ordered = [...values.values.keys()].filter((code) => sizes[code]! > 0);
  if (isLong) ordered.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const found = ordered.filter((code) => values.values[code]!.toLowerCase().includes(part.toLowerCase()));
  const shown = isLong && !showsAll ? found.slice(0, SHOWN_VALUES) : found;
  const max = Math.max(1, ...sizes);
  const toggle = (value: string) => {
    const next = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    setFilter(next.length === 0 ? null : { kind: 'in', values: next });
  };
  return (
    <>
      {values.values.length > 20 && (
        <input
          type="search"
          aria-label={`Find a value of ${name}`}
          placeholder="Find a value"
          value={part}
          onInput={(event) => setPart(event.currentTarget.value)}
        />
      )}
      <ul class="filter-values">
        {shown.map((code) => {
          const value = values.values[code]!;
          return (
            <li key={value}>
              <label>
                <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
                <span class="filter-name">{value === '' ? '(empty)' : value}</span>
                <span class="filter-count">{count(counts[code]!)}</span>
                <span class="filter-bar" aria-hidden="true">
                  <span style={{ width: `${(100 * sizes[code]!) / max}%` }} />
                  <span style={{ width: `${(100 * counts[code]!) / max}%` }} />
                </span>
              </label>
            </li>
          );
        })}
      </ul>
      {isLong && found.length > SHOWN_VALUES && (
        <button type="button" class="link-button" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show fewer' : `Show all ${count(found.length)}`}
        </button>
      )}
    </>
  );
}

function Range({ name, values, filter, explorer, setFilter }: FilterProps<'number' | 'date'>) {
  const { kind, numbers } = values;
  const range = useMemo(() => rangeOf(numbers), [numbers]);
  const { crossed } = explorer;
  const bins = useMemo(() => {
    if (range === null) return { all: new Uint32Array(BINS), left: new Uint32Array(BINS) };
    const span = range.max - range.min || 1;
    const codes = Int32Array.from(numbers, (n) =>
      Number.isNaN(n) ? -1 : Math.min(BINS - 1, Math.floor((BINS * (n - range.min)) / span)),
    );
    const all = new Uint32Array(BINS);
    for (const code of codes) if (code >= 0) all[code]! += 1;
    return { all, left: crossCounts(crossed, `column.${name}`, codes, BINS) };
  }, [numbers, range, crossed, name]);
  if (range === null) return <p class="soft small">No values.</p>;
  const now = filter?.kind === 'range' ? filter : { from: null, to: null };
  const isDate = kind === 'date';
  const set = (side: 'from' | 'to', text: string) => {
    const time = isDate ? Date.parse(text) + (side === 'to' ? DAY_MS - 1 : 0) : Number(text);
    const next = { kind: 'range' as const, ...now, [side]: text === '' || Number.isNaN(time) ? null : time };
    setFilter(next.from === null && next.to === null ? null : next);
  };
  const max = Math.max(1, ...bins.all);
  return (
    <>
      <svg class="filter-bins" viewBox={`0 0 ${BINS} 20`} preserveAspectRatio="none" aria-hidden="true">
        {[...bins.all].map((rows, n) => (
          <rect
            key={`all ${n}`}
            class="bin-all"
            x={n + 0.08}
            width={0.84}
            y={20 - (20 * rows) / max}
            height={(20 * rows) / max}
          />
        ))}
        {[...bins.left].map((rows, n) => (
          <rect
            key={`left ${n}`}
            class="bin-left"
            x={n + 0.08}
            width={0.84}
            y={20 - (20 * rows) / max}
            height={(20 * rows) / max}
          />
        ))}
      </svg>
      <div class="filter-range">
        {(['from', 'to'] as const).map((side) => {
          const limit = now[side];
          const edge = side === 'from' ? range.min : range.max;
          return (
            <label key={side}>
              <span>{side === 'from' ? 'From' : 'To'}</span>
              <input
                type={isDate ? 'date' : 'number'}
                step="any"
                aria-label={`${name} ${side}`}
                placeholder={isDate ? undefined : numberText(edge)}
                value={limit === null ? '' : isDate ? dayOf(limit) : String(limit)}
                onChange={(event) => set(side, event.currentTarget.value)}
              />
            </label>
          );
        })}
      </div>
      <p class="soft small">
        {isDate
          ? `${dayOf(range.min)} to ${dayOf(range.max)}`
          : `${numberText(range.min)} to ${numberText(range.max)}`}
      </p>
    </>
  );
}
