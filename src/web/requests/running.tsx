import type { RunningRow } from '../api.ts';
import { span } from '../lib/format.ts';
import { useNow } from '../lib/hooks.ts';

/** The requests in progress and their durations. @param atMs when they were reported, milliseconds since 1970 */
export function Running({ rows, atMs }: { rows: readonly RunningRow[]; atMs: number }) {
  const now = useNow(250);
  if (rows.length === 0) return null;
  return (
    <ul class="running" aria-label="Requests in flight">
      {rows.map(({ id, model, endpoint, target, key, ms, attempts, first_content_ms: first }) => (
        <li key={id}>
          <i class="spinner" aria-hidden="true" />
          <b>{model === '' ? endpoint : model}</b>
          <span class="muted">{target ?? 'waits'}</span>
          {key === null ? null : <span class="muted">{key}</span>}
          {attempts > 1 ? <span class="tag warn">{attempts} attempts</span> : null}
          <span class="faint">{first === null ? 'nothing yet' : `writes since ${span(first)}`}</span>
          <span class="number">{span(ms + Math.max(0, now - atMs))}</span>
        </li>
      ))}
    </ul>
  );
}
