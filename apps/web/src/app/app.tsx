/**
 * The frame around all pages: navigation, theme switch, the current problem, and the page of the current
 * route.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { Banner, HealthMark } from './banner.tsx';
import { OverviewStream } from './overview.tsx';
import { AdminPage } from './pages/admin.tsx';
import { NewRunPage } from './pages/new-run/new-run-page.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { RunDetailPage } from './pages/run/run-detail-page.tsx';
import { RunbookPage } from './pages/runbook/runbook-page.tsx';
import { RunsPage } from './pages/runs/runs-page.tsx';
import { SearchPage } from './pages/search/search-page.tsx';
import { SimilarityPage } from './pages/similarity/similarity-page.tsx';
import { ThresholdPage } from './pages/threshold/threshold-page.tsx';
import { type Route, to, useRoute } from './router.ts';
import { EndNotices } from './tab-progress.tsx';
import { chooseTheme, useTheme } from './theme.ts';
import { UploadStrip } from './upload-strip.tsx';

/** Pages in the navigation, in the order in which a new user needs them. */
const PAGES = [
  { name: 'Runs', path: 'runs' },
  { name: 'New run', path: 'new' },
  { name: 'Similarity', path: 'similarity' },
  { name: 'Search', path: 'search' },
  { name: 'Threshold', path: 'threshold' },
  { name: 'Admin', path: 'admin' },
] as const;

/** Renders the whole application. */
export function App() {
  const [keyVersion, setKeyVersion] = useState(0);
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const address = route.join('/');
  const initialAddress = useRef(address);
  // Moves the focus, so that a screen reader announces the new page, and scrolls to the section that the address names.
  useEffect(() => {
    const section = main.current?.querySelector('[aria-current="location"]');
    section?.scrollIntoView();
    if (initialAddress.current === address) return;
    initialAddress.current = '';
    main.current?.focus({ preventScroll: true });
    if (!section) scrollTo(0, 0);
  }, [address]);
  return (
    <OverviewStream keyVersion={keyVersion}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="frame">
        <a class="brand" href={to('runs')}>
          <Mark /> Embedmill
        </a>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(({ name, path }) => (
              <li key={path}>
                <a href={to(path)} aria-current={(route[0] ?? 'runs') === path ? 'page' : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <HealthMark />
        <ThemeSwitch />
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <Banner />
        {pageOf(route, () => setKeyVersion((n) => n + 1))}
        <UploadStrip />
      </main>
      <EndNotices />
    </OverviewStream>
  );
}

function pageOf(route: Route, onKey: () => void) {
  const [page = 'runs', id] = route;
  if (page === 'runs') return id === undefined ? <RunsPage /> : <RunDetailPage key={id} id={id} />;
  if (page === 'new') return <NewRunPage />;
  if (page === 'similarity') return <SimilarityPage />;
  if (page === 'search') return <SearchPage key={id ?? ''} id={id ?? null} />;
  if (page === 'threshold') return <ThresholdPage />;
  if (page === 'runbook') return <RunbookPage anchor={id ?? null} />;
  if (page === 'admin') return <AdminPage onKey={onKey} />;
  return <NotFoundPage />;
}

function ThemeSwitch() {
  const theme = useTheme();
  return (
    <button
      type="button"
      class="theme-switch"
      aria-pressed={theme === 'dark'}
      onClick={() => chooseTheme(theme === 'dark' ? 'light' : 'dark')}
    >
      <span aria-hidden="true">{theme === 'dark' ? '☾' : '☀'}</span> Dark
    </button>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 5v22M5 16h22M8.2 8.2l15.6 15.6M23.8 8.2 8.2 23.8" />
      <circle cx="16" cy="16" r="4.2" />
    </svg>
  );
}
