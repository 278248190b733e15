/** The current view: after the # of the address, so that it can be shared. */
import { useEffect, useState } from 'preact/hooks';

export const VIEWS = ['requests', 'usage', 'providers', 'playground', 'dataset', 'config'] as const;

export type View = (typeof VIEWS)[number];

export interface Route {
  readonly view: View;
  /** The id of a request. */
  readonly id: string | undefined;
  readonly filter: string;
}

export function routeIn(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, id] = path.split('/');
  return {
    view: VIEWS.find((each) => each === view) ?? 'requests',
    id: id === undefined || id === '' ? undefined : decodeURIComponent(id),
    filter: new URLSearchParams(query).get('filter') ?? '',
  };
}

export function hashOf({
  view,
  id,
  filter = '',
}: {
  view: View;
  id?: string | undefined;
  filter?: string;
}): string {
  const query = filter === '' ? '' : `?${new URLSearchParams({ filter }).toString()}`;
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${query}`;
}

/** Navigates. @param replace so that "back" skips the previous view */
export function go(to: { view: View; id?: string | undefined; filter?: string }, replace = false): void {
  if (replace) {
    history.replaceState(null, '', hashOf(to));
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else location.hash = hashOf(to);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeIn(location.hash));
  useEffect(() => {
    const changed = () => setRoute(routeIn(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
