/** What the Explore page shows, and its form in the address. Decision: docs/decisions/0229. */

/** A condition on a column: one of the values, or a range with inclusive limits (dates in ms since 1970). */
export type ColumnFilter =
  | { kind: 'in'; values: readonly string[] }
  | { kind: 'range'; from: number | null; to: number | null };

/** What the large part of the page shows. */
export const VIEWS = ['map', 'compare', 'trend', 'duplicates'] as const;
export type View = (typeof VIEWS)[number];

/** The choices of the reader. */
export interface ExploreState {
  view: View;
  /** What the panel beside it shows. */
  panel: 'topics' | 'filters';
  /** Topics whose rows are shown; empty for all. */
  topics: readonly number[];
  /** Text that is searched for; empty for none. */
  search: string;
  /** Row whose neighbours are searched for; `null` for none. */
  like: number | null;
  /** By name of the column. */
  filters: Readonly<Record<string, ColumnFilter>>;
  /** Corners of the lasso in map coordinates, x and y interleaved; empty for none. */
  area: readonly number[];
  /** `topic`, or `column.` and a name. */
  color: string;
  /** `auto`, `row`, `score`, or `column.` and a name; with a leading `-`, in descending order. */
  sort: string;
  /** The row that is open in the table. */
  row: number | null;
  /** The column that the views `compare` and `trend` use; `null` for the first suitable one. */
  by: string | null;
  /** Visible part of the map; `null` for the whole map. */
  map: { x: number; y: number; scale: number } | null;
}

/** The state of an address without any. */
export const INITIAL_STATE: ExploreState = {
  view: 'map',
  panel: 'topics',
  topics: [],
  search: '',
  like: null,
  filters: {},
  area: [],
  color: 'topic',
  sort: 'auto',
  row: null,
  by: null,
  map: null,
};

/** Corners of a lasso in the address: enough for any shape that a hand draws. */
const MAX_AREA_CORNERS = 48;

/** Digits of coordinates in the address: a tenth of a pixel at the largest scale of the map. */
const COORDINATE_DIGITS = 5;

/** Returns the state as a query string, without what equals {@link INITIAL_STATE}. */
export function encodeState(state: ExploreState): string {
  const query = new URLSearchParams();
  const add = (name: string, value: string) => {
    if (value !== '') query.append(name, value);
  };
  if (state.view !== 'map') add('view', state.view);
  if (state.panel !== 'topics') add('panel', state.panel);
  add('topics', state.topics.join('.'));
  add('q', state.search);
  if (state.like !== null) add('like', String(state.like));
  for (const name of Object.keys(state.filters).sort()) {
    const filter = state.filters[name]!;
    if (filter.kind === 'in') for (const value of filter.values) query.append(`in.${name}`, value);
    else {
      if (filter.from !== null) add(`from.${name}`, String(filter.from));
      if (filter.to !== null) add(`to.${name}`, String(filter.to));
    }
  }
  add('area', state.area.map(short).join('_'));
  if (state.color !== 'topic') add('color', state.color);
  if (state.sort !== 'auto') add('sort', state.sort);
  if (state.by !== null) add('by', state.by);
  if (state.row !== null) add('row', String(state.row));
  if (state.map !== null) add('map', [state.map.x, state.map.y, state.map.scale].map(short).join('_'));
  return query.toString();
}

/** Reads a query string; ignores parts that it does not understand. */
export function decodeState(query: string): ExploreState {
  const params = new URLSearchParams(query);
  const filters: Record<string, ColumnFilter> = {};
  for (const key of new Set(params.keys())) {
    const [, kind, name] = /^(in|from|to)\.(.*)$/s.exec(key) ?? [];
    if (kind === undefined || name === undefined) continue;
    if (kind === 'in') filters[name] = { kind: 'in', values: params.getAll(key) };
    else if (filters[name]?.kind !== 'in') {
      const from = numberIn(params.get(`from.${name}`));
      const to = numberIn(params.get(`to.${name}`));
      if (from !== null || to !== null) filters[name] = { kind: 'range', from, to };
    }
  }
  const map = numbersIn(params.get('map'), '_');
  const area = numbersIn(params.get('area'), '_');
  return {
    view: VIEWS.find((view) => view === params.get('view')) ?? INITIAL_STATE.view,
    panel: params.get('panel') === 'filters' ? 'filters' : INITIAL_STATE.panel,
    topics: numbersIn(params.get('topics'), '.').filter(isIndex),
    search: params.get('q') ?? INITIAL_STATE.search,
    like: indexIn(params.get('like')),
    filters,
    area: area.length >= 6 && area.length % 2 === 0 ? area : INITIAL_STATE.area,
    color: params.get('color') ?? INITIAL_STATE.color,
    sort: params.get('sort') ?? INITIAL_STATE.sort,
    row: indexIn(params.get('row')),
    by: params.get('by'),
    map: map.length === 3 && map[2]! > 0 ? { x: map[0]!, y: map[1]!, scale: map[2]! } : null,
  };
}

/** Keeps evenly spaced corners of a lasso, so that the address stays short. */
export function areaOf(path: readonly (readonly [x: number, y: number])[]): number[] {
  const step = Math.max(1, path.length / MAX_AREA_CORNERS);
  const corners = Array.from(
    { length: Math.ceil(path.length / step) },
    (_, n) => path[Math.floor(n * step)]!,
  );
  return corners.flatMap(([x, y]) => [Number(short(x)), Number(short(y))]);
}

/** Whether the state shows fewer rows than all. */
export function isFiltered(state: ExploreState): boolean {
  return (
    state.topics.length > 0 ||
    isSearch(state) ||
    Object.keys(state.filters).length > 0 ||
    state.area.length > 0
  );
}

/** Whether the state has a search. */
export function isSearch(state: ExploreState): boolean {
  return state.search !== '' || state.like !== null;
}

function short(n: number): string {
  return String(Number(n.toPrecision(COORDINATE_DIGITS)));
}

function numberIn(text: string | null): number | null {
  const n = Number(text ?? '');
  return text === null || text === '' || !Number.isFinite(n) ? null : n;
}

function numbersIn(text: string | null, separator: string): number[] {
  const numbers = (text ?? '').split(separator).map(numberIn);
  return numbers.some((n) => n === null) ? [] : (numbers as number[]);
}

function isIndex(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}

function indexIn(text: string | null): number | null {
  const n = numberIn(text);
  return n !== null && isIndex(n) ? n : null;
}
