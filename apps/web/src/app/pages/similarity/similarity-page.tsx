/** How alike are texts: two side by side, or up to twenty at once; live as one types. */

import { useState } from 'preact/hooks';
import { Page } from '../../ui/page.tsx';
import { MatrixView } from './matrix-view.tsx';
import { PairView } from './pair-view.tsx';

export function SimilarityPage() {
  const [view, setView] = useState<'pair' | 'matrix'>('pair');
  return (
    <Page
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
    </Page>
  );
}
