/** The page with one map: its topics, a search in its texts, and the rows that are selected. */

import {
  type MapDocument,
  type MapLabel,
  type MapView,
  type ScreenPoint,
  TOPIC_COLORS,
  topicCenters,
  topicColors,
} from '@embedmill/analysis/map';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { PointMap } from '../map/point-map.tsx';
import { count, share } from '../ui/format.ts';

/** Maximum rows in the list. */
const MAX_LISTED = 200;

/** Maximum characters of the text in the tooltip. */
const TOOLTIP_CHARS = 280;

/** Space between the pointer and the tooltip, and its maximum width. */
const TOOLTIP_GAP_PX = 14;
const TOOLTIP_WIDTH_PX = 320;

/** Renders the page. */
export function MapPage({ content }: { content: MapDocument }) {
  const { title, totalRows, maxTextChars, topics, groups, ids, texts, places, topicOf } = content;
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [query, setQuery] = useState('');
  const [selected, setSelected] = useState<readonly number[]>([]);
  const [hovered, setHovered] = useState<{ row: number; at: ScreenPoint } | null>(null);
  const [view, setView] = useState<MapView | null>(null);
  const { colors, labels, colorOf } = useTopics(content);
  const found = useMemo(() => findTexts(texts, query), [texts, query]);
  const visible = useMemo(() => {
    if (chosen.length === 0 && found === null) return null;
    const [wanted, hits] = [new Set(chosen), found === null ? null : new Set(found)];
    return Uint8Array.from(topicOf, (topic, row) =>
      (wanted.size === 0 || wanted.has(topic)) && hits?.has(row) !== false ? 1 : 0,
    );
  }, [chosen, found, topicOf]);
  const listed = useMemo(() => {
    if (selected.length > 0) return selected;
    if (visible === null) return [];
    return [...visible.keys()].filter((row) => visible[row] === 1);
  }, [selected, visible]);
  const toggle = (numbers: readonly number[]) => {
    setSelected([]);
    const isOn = numbers.every((topic) => chosen.includes(topic));
    setChosen(
      isOn ? chosen.filter((topic) => !numbers.includes(topic)) : [...new Set([...chosen, ...numbers])],
    );
  };
  const clear = () => {
    setChosen([]);
    setSelected([]);
    setQuery('');
  };
  return (
    <>
      <header class="page-head">
        <h1>{title}</h1>
        <p class="soft">
          {ids.length < totalRows ? `${count(ids.length)} of ${count(totalRows)}` : count(ids.length)}{' '}
          {texts === null ? 'rows' : 'texts'} in {count(topics.length)} topics
        </p>
        {texts !== null && (
          <input
            type="search"
            placeholder="Search in the texts"
            aria-label="Search in the texts"
            value={query}
            onInput={(event) => {
              setSelected([]);
              setQuery(event.currentTarget.value);
            }}
          />
        )}
        <ThemeButton />
      </header>
      <main class="page-body">
        <div class="page-map">
          <PointMap
            points={places}
            colors={colors}
            palette={TOPIC_COLORS}
            visible={visible}
            highlighted={hovered === null ? NONE : [hovered.row]}
            selected={selected}
            labels={labels}
            view={view}
            onView={setView}
            onHover={(row, at) => setHovered(row === null ? null : { row, at })}
            onSelect={setSelected}
          />
          {hovered !== null && (
            <Tooltip at={hovered.at}>
              <span class="soft">{topics[topicOf[hovered.row]!]!.name}</span>
              <span>{cut(texts?.[hovered.row] ?? ids[hovered.row]!)}</span>
            </Tooltip>
          )}
        </div>
        <aside class="page-side">
          {listed.length > 0 ? (
            <section>
              <div class="side-head">
                <h2>{count(listed.length)} texts</h2>
                <button type="button" onClick={clear}>
                  Clear
                </button>
              </div>
              {listed.length > MAX_LISTED && <p class="soft">The first {MAX_LISTED} are listed.</p>}
              <ol class="rows">
                {listed.slice(0, MAX_LISTED).map((row) => (
                  <li key={row} style={{ borderColor: TOPIC_COLORS[colors[row]!] }}>
                    <span class="soft">{ids[row]}</span> {texts?.[row]}
                  </li>
                ))}
              </ol>
            </section>
          ) : (
            found !== null && <p class="soft">No text has “{query}”.</p>
          )}
          <section>
            <h2>Topics</h2>
            {(groups.length === 0 ? [null] : [...groups.keys()]).map((group) => {
              const members = [...topics.keys()].filter(
                (topic) => group === null || topics[topic]!.group === group,
              );
              return (
                <div key={group}>
                  {group !== null && (
                    <button type="button" class="topic topic-group" onClick={() => toggle(members)}>
                      <span>{groups[group]!.name}</span>
                      <span class="soft">{share(groups[group]!.rows, totalRows)}</span>
                    </button>
                  )}
                  {members.map((topic) => (
                    <button
                      type="button"
                      class="topic"
                      key={topic}
                      aria-pressed={chosen.includes(topic)}
                      onClick={() => toggle([topic])}
                    >
                      <span class="dot" style={{ background: TOPIC_COLORS[colorOf[topic]!] }} />
                      <span>{topics[topic]!.name}</span>
                      <span class="soft">{count(topics[topic]!.rows)}</span>
                    </button>
                  ))}
                </div>
              );
            })}
          </section>
          {maxTextChars !== null && <p class="soft">Texts are cut to {count(maxTextChars)} characters.</p>}
        </aside>
      </main>
    </>
  );
}

const NONE: readonly number[] = [];

/** Colours of the rows, and the labels of topics and groups at the middle of their rows. */
function useTopics({ topics, groups, places, topicOf }: MapDocument) {
  return useMemo(() => {
    const centers = topicCenters(places, topicOf, topics.length);
    const colorOf = topicColors(centers, TOPIC_COLORS.length);
    const groupOf = Int32Array.from(topicOf, (topic) => topics[topic]?.group ?? -1);
    const groupCenters = topicCenters(places, groupOf, groups.length);
    const labels: MapLabel[] = [];
    for (const [level, named, middles] of [
      [0, groups, groupCenters],
      [1, topics, centers],
    ] as const) {
      for (const [n, { name, rows }] of named.entries()) {
        const [x, y] = [middles[2 * n]!, middles[2 * n + 1]!];
        if (!Number.isNaN(x)) labels.push({ text: name, x, y, level, rows });
      }
    }
    return { colors: Uint8Array.from(topicOf, (topic) => colorOf[topic]!), colorOf, labels };
  }, [topics, groups, places, topicOf]);
}

/** Rows whose text has all words of the query, in any case; `null` for a blank query. */
function findTexts(texts: readonly string[] | null, query: string): number[] | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (texts === null || words.length === 0) return null;
  return [...texts.keys()].filter((row) => {
    const text = texts[row]!.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function Tooltip({ at, children }: { at: ScreenPoint; children: preact.ComponentChildren }) {
  const isRight = at.x > innerWidth / 2;
  const horizontal = isRight
    ? { right: `calc(100% - ${at.x - TOOLTIP_GAP_PX}px)` }
    : { left: `${at.x + TOOLTIP_GAP_PX}px` };
  const vertical =
    at.y > innerHeight / 2
      ? { bottom: `calc(100% - ${at.y - TOOLTIP_GAP_PX}px)` }
      : { top: `${at.y + TOOLTIP_GAP_PX}px` };
  return (
    <div class="tooltip" style={{ ...horizontal, ...vertical, maxWidth: `${TOOLTIP_WIDTH_PX}px` }}>
      {children}
    </div>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState<'light' | 'dark' | null>(null);
  useEffect(() => {
    if (theme !== null) document.documentElement.dataset.theme = theme;
  }, [theme]);
  const isDark = theme === null ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
  return (
    <button type="button" onClick={() => setTheme(isDark ? 'light' : 'dark')}>
      {isDark ? 'Light theme' : 'Dark theme'}
    </button>
  );
}

function cut(text: string): string {
  const characters = [...text];
  return characters.length > TOOLTIP_CHARS ? `${characters.slice(0, TOOLTIP_CHARS).join('')}…` : text;
}
