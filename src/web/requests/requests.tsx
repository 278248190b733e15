import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../api.ts';
import type { Route } from '../lib/route.ts';
import { go, hashOf } from '../lib/route.ts';
import { useShortcuts } from '../lib/shortcuts.ts';
import { count } from '../lib/format.ts';
import { Icon } from '../shell/icons.tsx';
import { Detail } from './detail.tsx';
import { FilterBar, withWord } from './filter-bar.tsx';
import type { LiveState, LiveStore } from './live-store.ts';
import { Running } from './running.tsx';
import { Strip } from './strip.tsx';
import { RequestTable } from './table.tsx';

/** The initial number of rows, and of those added at a time. */
const STEP = 100;

interface RequestsProps {
  readonly session: Session;
  readonly route: Route;
  readonly store: LiveStore;
  readonly live: LiveState;
}

export function Requests({ session, route, store, live }: RequestsProps) {
  const { filter, id } = route;
  const [most, setMost] = useState(STEP);
  useEffect(() => setMost(STEP), [filter]);
  const setFilter = (next: string) => go({ view: 'requests', filter: next }, true);
  const failed = filter.split(/\s+/).includes('failed');
  const showFailed = () => setFilter(withWord(filter, 'failed', !failed));
  const pause = () => store.pause(!live.paused);
  const close = () => {
    const link = document.querySelector<HTMLElement>('.row-link[aria-current]');
    go({ view: 'requests', filter });
    link?.focus();
  };
  useShortcuts({
    Escape: () => id !== undefined && close(),
    j: () => step(1),
    k: () => step(-1),
    f: showFailed,
    p: pause,
  });
  const older = () => {
    setMost(most + STEP);
    if (most + STEP > live.rows.length) void store.more();
  };
  const shown = live.rows.slice(0, most);
  return (
    <>
      {session.logged ? <Strip filter={filter} /> : null}
      <section class="card flush" aria-label="Requests">
        <div class="bar">
          <FilterBar filter={filter} onFilter={setFilter} />
          <div class="bar-tools">
            <button type="button" class="chip" aria-pressed={failed} onClick={showFailed}>
              Failed
            </button>
            <button type="button" class="chip" aria-pressed={live.paused} onClick={pause}>
              <Icon name={live.paused ? 'play' : 'pause'} />
              {live.paused ? (live.held > 0 ? `${count(live.held)} new` : 'Paused') : 'Pause'}
            </button>
            <a class="chip" href={hashOf({ view: 'dataset', filter })}>
              <Icon name="dataset" />
              Dataset
            </a>
          </div>
        </div>
        {live.skipped > 0 ? (
          <p class="note">
            {count(live.skipped)} requests came faster than they can be shown. All of them are{' '}
            {session.logged ? 'in the log' : 'counted'}.
          </p>
        ) : null}
        {live.problem === '' ? null : (
          <p class="note bad" role="alert">
            {live.problem}
          </p>
        )}
        {filter === '' ? <Running rows={live.running} atMs={live.runningAtMs} /> : null}
        <RequestTable rows={shown} filter={filter} open={id} />
        {shown.length === 0 ? (
          <Nothing filter={filter} loading={live.loading || live.status === 'connecting'} />
        ) : null}
        {shown.length < live.rows.length || !live.complete ? (
          <p class="more">
            <button type="button" onClick={older} disabled={live.loading}>
              {live.loading ? 'Searching…' : 'Show older'}
            </button>
          </p>
        ) : null}
      </section>
      {id === undefined ? null : <Detail id={id} close={close} />}
    </>
  );
}

function Nothing({ filter, loading }: { filter: string; loading: boolean }) {
  if (loading) return <p class="empty">Looking…</p>;
  return filter === '' ? (
    <p class="empty">
      No request yet. Send one to <code>{`${location.origin}/v1`}</code>, or try the{' '}
      <a href="#/playground">playground</a>.
    </p>
  ) : (
    <p class="empty">No request matches the filter.</p>
  );
}

/** Selects the next or the previous row; opens it if one is open. */
function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.row-link')];
  const at = links.findIndex((link) => link === document.activeElement);
  const open = links.findIndex((link) => link.getAttribute('aria-current') === 'true');
  const from = at >= 0 ? at : open;
  const next = links[from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  if (open >= 0) next?.click();
}
