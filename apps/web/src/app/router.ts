/**
 * Hash routes such as `#/runs/<id>?tab=files`: the producer serves all pages from one path. The part after `?` is the
 * state of a page.
 */

import { useCallback, useEffect, useState } from 'preact/hooks';

/** Decoded segments of the route, such as `['runs', '<id>']`; empty for the start page. */
export type Route = readonly string[];

/** Event after a replaced address, for which browsers fire none. */
const REPLACE_EVENT = 'embedmill-address';

function currentRoute(): Route {
  return location.hash
    .replace(/^#\/?/, '')
    .replace(/\?.*$/s, '')
    .split('/')
    .filter(Boolean)
    .map(decodeURIComponent);
}

function currentQuery(): string {
  return /\?(.*)$/s.exec(location.hash)?.[1] ?? '';
}

/** Returns a part of the address; rerenders the component when it changes. */
function useAddress<Part>(read: () => Part): Part {
  const [part, setPart] = useState(read);
  useEffect(() => {
    const update = () => setPart(read);
    addEventListener('hashchange', update);
    addEventListener(REPLACE_EVENT, update);
    return () => {
      removeEventListener('hashchange', update);
      removeEventListener(REPLACE_EVENT, update);
    };
  }, [read]);
  return part;
}

/** Returns the current route; rerenders the component when the address changes. */
export function useRoute(): Route {
  return useAddress(currentRoute);
}

/** Returns the state of the page in the address, without the `?`, and a function that changes it. */
export function useQuery(): [query: string, setQuery: (query: string, mode: 'push' | 'replace') => void] {
  const query = useAddress(currentQuery);
  const setQuery = useCallback((next: string, mode: 'push' | 'replace') => {
    if (next === currentQuery()) return;
    const hash = `${location.hash.replace(/\?.*$/s, '')}${next === '' ? '' : `?${next}`}`;
    if (mode === 'push') history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
    dispatchEvent(new Event(REPLACE_EVENT));
  }, []);
  return [query, setQuery];
}

/** Returns the `href` of a page. */
export function to(...segments: string[]): string {
  return `#/${segments.map(encodeURIComponent).join('/')}`;
}

/** Navigates to a page. */
export function go(...segments: string[]): void {
  location.hash = to(...segments);
}
