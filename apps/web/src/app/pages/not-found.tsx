/** For addresses that name no page. */

import { to } from '../router.ts';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';

export function NotFoundPage() {
  return (
    <Page title="Nothing here">
      <Empty title="There is no such page.">
        <a href={to('runs')}>To the runs</a>
      </Empty>
    </Page>
  );
}
