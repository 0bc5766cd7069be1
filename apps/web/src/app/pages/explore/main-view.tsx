/** The large part of the Explore page: the map, a comparison, a trend or the near-duplicates. */

import { VIEWS, type View } from '../../explore/explore-state.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { AnalysisNotice } from './analysis-notice.tsx';
import { CompareView } from './compare-view.tsx';
import { DuplicatesView } from './duplicates-view.tsx';
import { MapPanel } from './map-panel.tsx';
import { TrendView } from './trend-view.tsx';

const VIEW_NAMES: Readonly<Record<View, string>> = {
  map: 'Map',
  compare: 'Compare',
  trend: 'Trend',
  duplicates: 'Near-duplicates',
};

/** Renders the chosen view, or the progress of the analysis. */
export function MainView({ explorer }: { explorer: Explorer }) {
  const { state, update, results } = explorer;
  return (
    <section class="card explore-main" aria-label={VIEW_NAMES[state.view]}>
      <ul class="view-tabs" aria-label="Views">
        {VIEWS.map((view) => (
          <li key={view}>
            <button
              type="button"
              aria-pressed={state.view === view}
              onClick={() => update({ view, by: null })}
            >
              {VIEW_NAMES[view]}
            </button>
          </li>
        ))}
      </ul>
      {results === null ? (
        <AnalysisNotice analysis={explorer.analysis} loaded={explorer.loaded} />
      ) : state.view === 'map' ? (
        <MapPanel explorer={explorer} results={results} />
      ) : state.view === 'compare' ? (
        <CompareView explorer={explorer} results={results} />
      ) : state.view === 'trend' ? (
        <TrendView explorer={explorer} results={results} />
      ) : (
        <DuplicatesView explorer={explorer} />
      )}
    </section>
  );
}
