import type { ProviderState } from '../api.ts';
import { count, relative, share, span } from '../lib/format.ts';
import { Held } from './held.tsx';
import { StateWord } from './state.tsx';
import { Targets } from './targets.tsx';

/** One provider: its state, the reasons, and what is on hold. @param now milliseconds since 1970 */
export function Provider({ provider, now }: { provider: ProviderState; now: number }) {
  const {
    name,
    type,
    state,
    reasons,
    held,
    targets,
    breaker,
    last_error: last,
    next_probe: probe,
  } = provider;
  return (
    <section class={`card provider-card ${state}`} aria-label={name}>
      <header>
        <div>
          <h2>{name}</h2>
          <span class="muted">{type}</span>
        </div>
        <StateWord state={state} />
      </header>
      {state === 'disabled' ? null : <Facts provider={provider} />}
      {reasons.length > 0 ? (
        <ul class="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ) : null}
      {breaker === 'closed' ? null : (
        <p class="note bad">The breaker of the provider is {breaker.replace('_', ' ')}.</p>
      )}
      {held.length > 0 ? (
        <ul class="held">
          {held.map((each) => (
            <Held
              key={`${each.scope} ${each.model} ${each.endpoint} ${each.key} ${each.since}`}
              held={each}
              now={now}
            />
          ))}
        </ul>
      ) : null}
      {last && state !== 'healthy' ? (
        <p class="faint">
          Last error, {relative(last.at, now)}: {last.message}
        </p>
      ) : null}
      {probe ? <p class="faint">Next probe {relative(probe, now)}</p> : null}
      {targets.length > 0 ? <Targets targets={targets} /> : null}
    </section>
  );
}

function Facts({ provider }: { provider: ProviderState }) {
  const { success_rate: rate, calls, in_flight: inFlight, p50_ms: p50, p95_ms: p95, keys } = provider;
  return (
    <dl class="facts">
      <Fact name="Answered" value={rate === null ? '–' : share(rate, 1)} />
      <Fact name="Calls" value={count(calls)} />
      <Fact name="In flight" value={count(inFlight)} />
      <Fact name="p50" value={span(p50)} />
      <Fact name="p95" value={span(p95)} />
      <Fact name="Keys" value={keys.down > 0 ? `${keys.down} of ${keys.total} down` : count(keys.total)} />
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
