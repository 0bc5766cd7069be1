/** Says at the top of every page what is wrong right now; it goes by itself. */

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
    return 'Redis does not answer. Runs wait and nothing is lost; this page goes on by itself when Redis is back.';
  return `No new rows are taken now: ${overview.reasons.join('; ')}.`;
}
