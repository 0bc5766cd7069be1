/** The panel beside the map: the topics, or the filters by column. */

import { INITIAL_STATE } from '../../explore/explore-state.ts';
import { isUsable } from '../../explore/use-columns.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count } from '../../ui/format.ts';
import { Loading } from '../../ui/states.tsx';
import { FiltersPanel } from './filters-panel.tsx';
import { TopicDetails } from './topic-details.tsx';
import { TopicsPanel } from './topics-panel.tsx';

/** Renders the chosen panel; a single chosen topic is shown with its details. */
export function SidePanel({ explorer }: { explorer: Explorer }) {
  const { state, update, results, topics, columns } = explorer;
  const single = state.topics.length === 1 ? topics[state.topics[0]!] : undefined;
  return (
    <section class="card explore-side" aria-label={state.panel === 'topics' ? 'Topics' : 'Filters'}>
      <ul class="view-tabs" aria-label="Panels">
        <li>
          <button
            type="button"
            aria-pressed={state.panel === 'topics'}
            onClick={() => update({ panel: INITIAL_STATE.panel }, 'replace')}
          >
            Topics {topics.length > 0 && <span class="soft">{count(topics.length)}</span>}
          </button>
        </li>
        <li>
          <button
            type="button"
            aria-pressed={state.panel === 'filters'}
            onClick={() => update({ panel: 'filters' }, 'replace')}
          >
            Filters <span class="soft">{count(columns.filter(isUsable).length)}</span>
          </button>
        </li>
      </ul>
      {state.panel === 'filters' ? (
        <FiltersPanel explorer={explorer} />
      ) : results === null ? (
        <p class="soft">The topics appear here when they are found.</p>
      ) : single !== undefined ? (
        <TopicDetails key={single.topic} explorer={explorer} results={results} topic={single} />
      ) : (
        <TopicsPanel explorer={explorer} results={results} />
      )}
      {state.panel === 'filters' && columns.length === 0 && <Loading what="the columns" />}
    </section>
  );
}
