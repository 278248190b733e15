import { useState } from 'preact/hooks';
import type { SeriesAnswer, Session } from '../api.ts';
import type { Route } from '../lib/route.ts';
import { useFetched } from '../lib/hooks.ts';
import { go } from '../lib/route.ts';
import { FilterBar } from '../requests/filter-bar.tsx';
import { Choice } from '../lib/choice.tsx';
import { Figures } from './figures.tsx';

const SPANS = { '1h': 'Hour', '24h': 'Day', '7d': 'Week', '30d': 'Month' } as const;
const LATENCY = { p50: 'p50', p95: 'p95' } as const;
const BY = { model: 'Model', key: 'Key', provider: 'Provider' } as const;

/** The interval while there is more to read, and afterwards, milliseconds. */
const SOON_MS = 300;
const LATER_MS = 10_000;

export function Usage({ session, route }: { session: Session; route: Route }) {
  const [wanted, setSpan] = useState<keyof typeof SPANS>('24h');
  const [by, setBy] = useState<keyof typeof BY>('model');
  const [latency, setLatency] = useState<keyof typeof LATENCY>('p50');
  const { filter } = route;
  const [reading, setReading] = useState(false);
  const query = new URLSearchParams({ span: wanted, by, filter }).toString();
  const { answer, problem, loading } = useFetched<SeriesAnswer>(
    session.logged ? `series?${query}` : undefined,
    reading ? SOON_MS : LATER_MS,
  );
  if (answer && reading === answer.complete) setReading(!answer.complete);
  return (
    <>
      <div class="card flush">
        <div class="bar">
          <FilterBar filter={filter} onFilter={(next) => go({ view: 'usage', filter: next }, true)} />
          <div class="bar-tools">
            <Choice label="Time" options={SPANS} value={wanted} onChoose={setSpan} />
            <Choice label="By" options={BY} value={by} onChoose={setBy} />
            <Choice label="Latency" options={LATENCY} value={latency} onChoose={setLatency} />
          </div>
        </div>
        {reading ? <p class="note">Reading the log; the newest requests are shown so far.</p> : null}
        {session.logged ? null : <p class="note">The request log is off, so there is no history.</p>}
        {problem ? (
          <p class="note bad" role="alert">
            {problem}
          </p>
        ) : null}
      </div>
      {answer ? (
        <Figures answer={answer} by={BY[by]} latency={latency} />
      ) : loading ? (
        <p class="empty">Looking…</p>
      ) : null}
    </>
  );
}
