/** Banner at the top of every page with the current problem; it disappears when the problem is solved. */

import { describeError } from './api/errors.ts';
import { useOverview } from './overview.tsx';

export function Banner() {
  const { overview, error } = useOverview();
  const text = wrongNow(overview, error);
  return (
    <div role="status" aria-live="polite">
      {text !== null && <p class="notice notice-warn banner">{text}</p>}
    </div>
  );
}

function wrongNow(overview: ReturnType<typeof useOverview>['overview'], error: unknown): string | null {
  if (error !== null) return describeError(error);
  if (overview === null || overview.ready) return null;
  if (overview.redis === null)
    return 'Redis is unreachable. Runs are paused and nothing is lost; they continue automatically when Redis is back.';
  return `New rows are not accepted at the moment: ${overview.reasons.join('; ')}.`;
}
