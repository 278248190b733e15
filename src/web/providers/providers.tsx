import type { HeldState, ProviderState, ProvidersAnswer } from '../api.ts';
import { count, relative, share, span } from '../lib/format.ts';
import { useAsked, useNow } from '../lib/hooks.ts';

const EVERY_MS = 2_000;

export function Providers() {
  const { answer, problem } = useAsked<ProvidersAnswer>('providers', EVERY_MS);
  const now = useNow(1_000);
  if (!answer)
    return (
      <p class="empty" role={problem ? 'alert' : undefined}>
        {problem ?? 'Looking…'}
      </p>
    );
  const { providers, log, workers, status } = answer;
  return (
    <>
      <div class="summary" aria-live="polite">
        <State state={status} />
        <span class="muted">
          {STATUS[status]}
          {workers ? ` · ${workers.total} workers` : ''}
        </span>
      </div>
      {problem ? (
        <p class="note bad" role="alert">
          {problem}
        </p>
      ) : null}
      {workers && workers.missing.length > 0 ? (
        <p class="note bad">Workers that do not answer: {workers.missing.join(', ')}</p>
      ) : null}
      {log?.state === 'failing' ? (
        <p class="note bad" role="alert">
          The request log cannot be written since {relative(log.since ?? '', now)}: {log.reason}.{' '}
          {count(log.lost)} records are lost.
        </p>
      ) : null}
      <div class="providers-grid">
        {providers.map((provider) => (
          <Provider key={provider.name} provider={provider} now={now} />
        ))}
      </div>
    </>
  );
}

const STATUS = {
  healthy: 'All providers answer',
  degraded: 'Some requests may fail or go elsewhere',
  unhealthy: 'No provider can answer',
  disabled: 'No provider is enabled',
} as const;

function State({ state }: { state: ProviderState['state'] }) {
  return (
    <span class={`state ${state}`}>
      <i aria-hidden="true" />
      {state}
    </span>
  );
}

function Provider({ provider, now }: { provider: ProviderState; now: number }) {
  const {
    name,
    type,
    state,
    reasons,
    held,
    targets,
    keys,
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
        <State state={state} />
      </header>
      {state === 'disabled' ? null : (
        <dl class="facts">
          <Fact
            name="Answered"
            value={provider.success_rate === null ? '–' : share(provider.success_rate, 1)}
          />
          <Fact name="Calls" value={count(provider.calls)} />
          <Fact name="In flight" value={count(provider.in_flight)} />
          <Fact name="p50" value={span(provider.p50_ms)} />
          <Fact name="p95" value={span(provider.p95_ms)} />
          <Fact
            name="Keys"
            value={keys.down > 0 ? `${keys.down} of ${keys.total} down` : count(keys.total)}
          />
        </dl>
      )}
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
      {targets.length > 0 ? (
        <details>
          <summary>
            {targets.length} {targets.length === 1 ? 'model' : 'models'} asked
          </summary>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Breaker</th>
                <th scope="col" class="number">
                  Calls
                </th>
                <th scope="col" class="number">
                  Answered
                </th>
                <th scope="col" class="number">
                  First p95
                </th>
              </tr>
            </thead>
            <tbody>
              {targets.map((target) => (
                <tr key={target.model}>
                  <td>{target.model}</td>
                  <td>
                    {target.breaker.replace('_', ' ')}
                    {target.resting ? `, rests ${span(target.resting.ms)} (${target.resting.fault})` : ''}
                  </td>
                  <td class="number">{count(target.calls)}</td>
                  <td class="number">{target.success_rate === null ? '–' : share(target.success_rate, 1)}</td>
                  <td class="number">{span(target.first_content_p95_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ) : null}
    </section>
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

function Held({ held, now }: { held: HeldState; now: number }) {
  const { scope, model, endpoint, key, fault, message, since, next_trial: trial, due } = held;
  const whom = [
    model ?? (key === null ? 'the provider' : `key ${key + 1}`),
    ...(model !== null && key !== null ? [`with key ${key + 1}`] : []),
    ...(endpoint === null ? [] : [`at ${endpoint}`]),
  ].join(' ');
  const when =
    trial === null
      ? 'a request is trying it now'
      : due
        ? 'the next request tries it'
        : `next trial ${relative(trial, now)}`;
  return (
    <li>
      <p>
        <span class="tag bad">{fault.replaceAll('_', ' ')}</span> <b>{whom}</b>{' '}
        <span class="faint">({scope})</span>
      </p>
      <p class="said">{message}</p>
      <p class="muted">
        since {relative(since, now)} · {when}
      </p>
    </li>
  );
}
