/** Hash routes such as `#/runs/<id>`: the producer serves all pages from one path. */

import { useEffect, useState } from 'preact/hooks';

/** Decoded segments of the route, such as `['runs', '<id>']`; empty for the start page. */
export type Route = readonly string[];

function currentRoute(): Route {
  return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
}

/** Returns the current route; rerenders the component when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const update = () => setRoute(currentRoute());
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  return route;
}

/** Returns the `href` of a page. */
export function to(...segments: string[]): string {
  return `#/${segments.map(encodeURIComponent).join('/')}`;
}

/** Navigates to a page. */
export function go(...segments: string[]): void {
  location.hash = to(...segments);
}
