/**
 * Which page the address names: `#/runs/<id>`. Behind the `#`, so that the producer needs one path for all
 * pages.
 */

import { useEffect, useState } from 'preact/hooks';

/** The parts of the address: `['runs', '<id>']`; empty for the start. */
export type Route = readonly string[];

function read(): Route {
  return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
}

/** The route now; draws the component again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const look = () => setRoute(read());
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return route;
}

/** The address of a page, for `href`. */
export function to(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

/** Goes to a page. */
export function go(...parts: string[]): void {
  location.hash = to(...parts);
}
