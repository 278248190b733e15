import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Session } from './api.ts';
import { ask, reason, send, whenSignedOut } from './lib/ask.ts';
import { go, useRoute, VIEWS } from './lib/route.ts';
import { useShortcuts } from './lib/shortcuts.ts';
import { LiveStore, useLive } from './requests/live-store.ts';
import { Config } from './config/config.tsx';
import { Dataset } from './dataset/dataset.tsx';
import { Playground } from './playground/playground.tsx';
import { Usage } from './usage/usage.tsx';
import { Requests } from './requests/requests.tsx';
import { Providers } from './providers/providers.tsx';
import { Header, TITLES } from './shell/header.tsx';
import { Help } from './shell/help.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { applyTheme, chosenTheme, nextTheme } from './shell/theme.ts';

export function App() {
  const [session, setSession] = useState<Session>();
  const [problem, setProblem] = useState('');
  const look = () => {
    ask<Session>('session').then(setSession, (thrown: unknown) => setProblem(reason(thrown)));
  };
  useEffect(() => {
    whenSignedOut(look);
    look();
  }, []);
  if (!session)
    return problem === '' ? null : (
      <p class="empty" role="alert">
        {problem}
      </p>
    );
  if (!session.open) return <SignIn done={look} />;
  return <Shell session={session} signedOut={look} />;
}

function Shell({ session, signedOut }: { session: Session; signedOut: () => void }) {
  const route = useRoute();
  const [help, setHelp] = useState(false);
  const [theme, setTheme] = useState(chosenTheme);
  const store = useMemo(() => new LiveStore(session.logged), [session.logged]);
  const live = useLive(store);
  const filter = route.view === 'requests' ? route.filter : '';
  useEffect(() => store.look(filter), [store, filter]);
  useEffect(() => {
    document.title = `${TITLES[route.view]} · llmproxy`;
  }, [route.view]);
  const changeTheme = () => {
    // The current value: keys may be pressed faster than the page is rendered.
    const next = nextTheme(chosenTheme());
    applyTheme(next);
    setTheme(next);
  };
  const signOut = () => void send('DELETE', 'session', {}).finally(signedOut);
  useShortcuts({
    '?': () => setHelp(true),
    t: changeTheme,
    ...Object.fromEntries(VIEWS.map((view, index) => [String(index + 1), () => go({ view })])),
    '/': (event) => {
      const field = document.querySelector<HTMLInputElement>('#filter');
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    },
  });
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header
        session={session}
        route={route}
        live={live}
        theme={theme}
        onTheme={changeTheme}
        onHelp={() => setHelp(true)}
        onSignOut={signOut}
      />
      <main id="main" tabIndex={-1} class={`view ${route.view}`}>
        {route.view === 'requests' ? (
          <Requests session={session} route={route} store={store} live={live} />
        ) : null}
        {route.view === 'usage' ? <Usage session={session} route={route} /> : null}
        {route.view === 'providers' ? <Providers /> : null}
        {route.view === 'playground' ? <Playground session={session} /> : null}
        {route.view === 'dataset' ? <Dataset session={session} route={route} /> : null}
        {route.view === 'config' ? <Config /> : null}
      </main>
      {help ? <Help close={() => setHelp(false)} /> : null}
    </>
  );
}

/** The address shows the view, so a link to a position within it must not change the address. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
