/** The Similarity page: cosines of two texts, or of up to 20 lines, live while typing. */

import { useState } from 'preact/hooks';
import { PageLayout } from '../../ui/page.tsx';
import { MatrixView } from './matrix-view.tsx';
import { PairView } from './pair-view.tsx';

/** Renders the page with one of its two views. */
export function SimilarityPage() {
  const [view, setView] = useState<'pair' | 'matrix'>('pair');
  return (
    <PageLayout
      title="Similarity"
      lead="The cosine of two vectors: 1 for the same meaning, about 0 for unrelated texts."
      actions={
        <fieldset class="choice">
          <legend class="unseen">View</legend>
          {(['pair', 'matrix'] as const).map((each) => (
            <label key={each}>
              <input type="radio" name="view" checked={view === each} onChange={() => setView(each)} />
              {each === 'pair' ? 'Two texts' : 'Many lines'}
            </label>
          ))}
        </fieldset>
      }
    >
      {view === 'pair' ? <PairView /> : <MatrixView />}
    </PageLayout>
  );
}
