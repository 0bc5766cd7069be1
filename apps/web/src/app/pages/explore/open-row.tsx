/** The open row of the table: its whole text, its values, and what can be done with it. */

import type { RunTopic, SearchHit } from '@embedmill/contract';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { RowText } from '../../explore/row-texts.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count } from '../../ui/format.ts';
import { MarkedText } from './marked-text.tsx';

/** Scale of the map around one row. */
const CLOSE_SCALE = 8;

/** @param onHeight receives the height in CSS pixels, whenever it changes */
export function OpenRow({
  known: { row, id, text, columns },
  hit,
  topic,
  explorer: { update, results },
  onHeight,
}: {
  known: RowText;
  hit: SearchHit | undefined;
  topic: RunTopic | undefined;
  explorer: Explorer;
  onHeight: (px: number) => void;
}) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const measure = () => onHeight(element.current?.offsetHeight ?? 0);
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    measure();
    return () => observer.disconnect();
  }, [row]);
  const [x, y] = [results?.points[2 * row] ?? Number.NaN, results?.points[2 * row + 1] ?? Number.NaN];
  const facts = Object.entries(columns ?? {}).filter(([, value]) => value !== null && value !== '');
  return (
    // biome-ignore lint/a11y/useSemanticElements: a cell of a virtual table
    <div class="row-details" role="gridcell" tabIndex={-1} ref={element}>
      <p class="row-full">
        {text === null || text === '' ? '(no text)' : <MarkedText text={text} spans={hit?.spans ?? []} />}
      </p>
      <dl class="row-facts">
        <div>
          <dt>id</dt>
          <dd>
            <code>{id}</code>, row {count(row + 1)}
          </dd>
        </div>
        {topic !== undefined && (
          <div>
            <dt>topic</dt>
            <dd>
              {topic.name}, similarity {results!.scores[row]!.toFixed(2)}
            </dd>
          </div>
        )}
        {hit !== undefined && hit.reason !== '' && (
          <div>
            <dt>found</dt>
            <dd>{hit.reason}</dd>
          </div>
        )}
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
      <p class="actions">
        <button
          type="button"
          class="button button-small"
          onClick={() => update({ like: row, search: '', sort: 'auto', row: null })}
        >
          More like this
        </button>
        {topic !== undefined && (
          <button
            type="button"
            class="button button-small"
            onClick={() => update({ topics: [topic.topic], panel: 'topics' })}
          >
            This topic
          </button>
        )}
        {!Number.isNaN(x) && (
          <button
            type="button"
            class="button button-small"
            onClick={() => update({ view: 'map', map: { x, y, scale: CLOSE_SCALE } })}
          >
            Show on the map
          </button>
        )}
      </p>
    </div>
  );
}
