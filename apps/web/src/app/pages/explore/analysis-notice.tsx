/** What is shown in place of the topics and the map until they are ready. */

import type { LiveAnalysis, LoadedResults } from '../../explore/use-analysis.ts';
import { Bar } from '../../ui/figures.tsx';
import { share } from '../../ui/format.ts';
import { Failure, Loading } from '../../ui/states.tsx';

/** Renders the progress, or the failure with a button to try again. */
export function AnalysisNotice({ analysis, loaded }: { analysis: LiveAnalysis; loaded: LoadedResults }) {
  const { status, error, retry } = analysis;
  if (error !== null) return <Failure error={error} onRetry={retry} />;
  if (loaded.error !== null) return <Failure error={loaded.error} onRetry={loaded.reload} />;
  if (status === null || status.state === 'ready') return <Loading what="the topics and the map" />;
  if (status.state === 'failed') {
    return (
      <div class="notice notice-bad" role="alert">
        <p>The topics and the map could not be computed: {status.reason ?? 'unknown reason'}</p>
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      </div>
    );
  }
  return (
    <div class="analysis-progress">
      <p class="state-title" role="status">
        {status.state === 'waiting'
          ? 'Waiting for another analysis to end'
          : 'Finding the topics of your texts'}
      </p>
      <Bar name="Progress of the analysis" value={status.progress} whole={1} />
      <p class="soft small">
        {status.step === null ? 'Starting' : sentence(status.step)}, {share(status.progress, 1)}. You can
        search and read the texts now.
      </p>
    </div>
  );
}

function sentence(step: string): string {
  return `${step.charAt(0).toUpperCase()}${step.slice(1)}`;
}
