import type { HeldState } from '../api.ts';
import { relative } from '../lib/format.ts';

/** What is on hold, why, and when it is tried again. */
export function Held({ held, now }: { held: HeldState; now: number }) {
  const { scope, model, endpoint, key, only, fault, message, since, next_trial: trial, due } = held;
  const whom = [
    model ?? (key === null ? 'the provider' : `key ${key + 1}`),
    ...(model !== null && key !== null ? [`with key ${key + 1}`] : []),
    ...(endpoint === null ? [] : [`at ${endpoint}`]),
    ...(only === undefined ? [] : [`for ${only} only`]),
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
