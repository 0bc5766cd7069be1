/** The filters in effect, each with a button that removes it, and how many texts they leave. */

import { describeFilter } from '../../explore/describe-filter.ts';
import { INITIAL_STATE } from '../../explore/explore-state.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count, plural, share } from '../../ui/format.ts';

/** Renders the number of texts, which screen readers announce when it changes, and the filters. */
export function Chips({ explorer }: { explorer: Explorer }) {
  const { state, update, crossed, total, topics, columns, search, isFiltered } = explorer;
  const chips: { name: string; remove: () => void }[] = [];
  if (state.search !== '') chips.push({ name: `“${state.search}”`, remove: () => update({ search: '' }) });
  if (state.like !== null) {
    chips.push({ name: `Like row ${count(state.like + 1)}`, remove: () => update({ like: null }) });
  }
  for (const topic of state.topics) {
    chips.push({
      name: topics[topic]?.name ?? `Topic ${topic + 1}`,
      remove: () => update({ topics: state.topics.filter((other) => other !== topic) }),
    });
  }
  if (state.area.length > 0) chips.push({ name: 'Area of the map', remove: () => update({ area: [] }) });
  for (const [name, filter] of Object.entries(state.filters)) {
    const { [name]: _, ...others } = state.filters;
    const kind = columns.find((column) => column.name === name)?.kind;
    chips.push({
      name: `${name}: ${describeFilter(filter, kind === 'date')}`,
      remove: () => update({ filters: others }),
    });
  }
  return (
    <div class="chips">
      <p class="chips-count" role="status">
        {search.isLoading ? (
          'Searching …'
        ) : !isFiltered ? (
          <>
            <strong>{count(total)}</strong> {plural(total, 'text')}
          </>
        ) : (
          <>
            <strong>{count(crossed.count)}</strong> of {count(total)} {plural(total, 'text')}{' '}
            <span class="soft">{search.result === null ? share(crossed.count, total) : `nearest first`}</span>
          </>
        )}
      </p>
      {chips.length > 0 && (
        <ul aria-label="Filters">
          {chips.map(({ name, remove }, n) => (
            <li key={`${n} ${name}`}>
              <button type="button" class="chip" aria-label={`Remove the filter ${name}`} onClick={remove}>
                <span class="chip-name">{name}</span> <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
          <li>
            <button
              type="button"
              class="link-button"
              onClick={() =>
                update({
                  topics: INITIAL_STATE.topics,
                  search: INITIAL_STATE.search,
                  like: INITIAL_STATE.like,
                  filters: INITIAL_STATE.filters,
                  area: INITIAL_STATE.area,
                })
              }
            >
              Show all texts
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
