import type { Session } from '../api.ts';
import type { LiveState } from '../requests/live-store.ts';
import type { Route, View } from '../lib/route.ts';
import type { IconName } from './icons.tsx';
import { count } from '../lib/format.ts';
import { hashOf, VIEWS } from '../lib/route.ts';
import { Icon } from './icons.tsx';
import { Logo } from './logo.tsx';
import type { Theme } from './theme.ts';

export const TITLES: Readonly<Record<View, string>> = {
  requests: 'Requests',
  usage: 'Usage',
  providers: 'Providers',
  playground: 'Playground',
  dataset: 'Dataset',
  config: 'Config',
};

/** The views that keep the filter. */
const FILTERED: ReadonlySet<View> = new Set<View>(['requests', 'usage', 'dataset']);

interface HeaderProps {
  readonly session: Session;
  readonly route: Route;
  readonly live: Pick<LiveState, 'status' | 'inFlight'>;
  readonly theme: Theme;
  readonly onTheme: () => void;
  readonly onHelp: () => void;
  readonly onSignOut: () => void;
}

export function Header({ session, route, live, theme, onTheme, onHelp, onSignOut }: HeaderProps) {
  return (
    <header class="top">
      <a class="brand" href="#/requests" aria-label="llmproxy, requests">
        <Logo />
        <span>llmproxy</span>
      </a>
      <nav aria-label="Views">
        {VIEWS.map((view) => (
          <a
            key={view}
            href={hashOf({ view, filter: FILTERED.has(view) ? route.filter : '' })}
            aria-current={view === route.view ? 'page' : undefined}
          >
            <Icon name={view as IconName} />
            <span>{TITLES[view]}</span>
          </a>
        ))}
      </nav>
      <div class="tools">
        <span class={`pulse ${live.status}`} title={LIVE[live.status]}>
          <i aria-hidden="true" />
          <span>
            <b>{count(live.inFlight)}</b> in flight
          </span>
        </span>
        <button
          class="quiet"
          type="button"
          onClick={onTheme}
          aria-label={`Theme: ${theme}. Change it`}
          title={`Theme: ${theme}`}
        >
          <Icon name={theme} />
        </button>
        <button
          class="quiet"
          type="button"
          onClick={onHelp}
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
        >
          <Icon name="help" />
        </button>
        {session.signedIn ? (
          <button
            class="quiet"
            type="button"
            onClick={onSignOut}
            aria-label={`Sign out ${session.key ?? ''}`}
            title={`Signed in with the key ${session.key ?? ''}: sign out`}
          >
            <Icon name="leave" />
          </button>
        ) : null}
      </div>
    </header>
  );
}

const LIVE = {
  connecting: 'Connecting',
  live: 'Connected to the proxy',
  lost: 'The proxy cannot be reached',
} as const;
