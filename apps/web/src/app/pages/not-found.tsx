/** Page for unknown addresses. */

import { to } from '../router.ts';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Empty title="This page does not exist.">
        <a href={to('runs')}>Show the runs</a>
      </Empty>
    </Page>
  );
}
