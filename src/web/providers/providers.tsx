import type { ProvidersAnswer } from '../api.ts';
import { count, relative } from '../lib/format.ts';
import { useFetched, useNow } from '../lib/hooks.ts';
import { Provider } from './provider.tsx';
import { StateWord } from './state.tsx';

const EVERY_MS = 2_000;

export function Providers() {
  const { answer, problem } = useFetched<ProvidersAnswer>('providers', EVERY_MS);
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
        <StateWord state={status} />
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
  degraded: 'Some requests may fail or be sent elsewhere',
  unhealthy: 'No provider can answer',
  disabled: 'No provider is enabled',
} as const;
