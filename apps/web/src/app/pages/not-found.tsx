/** The page for unknown routes. */

import { to } from '../router.ts';
import { PageLayout } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';

/** Shown for every unknown route. */
export function NotFoundPage() {
  return (
    <PageLayout title="Page not found">
      <Empty title="This page does not exist.">
        <a href={to('runs')}>Show the runs</a>
      </Empty>
    </PageLayout>
  );
}
