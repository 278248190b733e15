import type { RequestRow } from '../api.ts';

/** The outcome of a request in one word. Success is unobtrusive. */
export function Outcome({
  row,
}: {
  row: Pick<RequestRow, 'outcome' | 'fault' | 'finish' | 'status' | 'attempts'>;
}) {
  const { outcome, fault, finish, status, attempts } = row;
  if (outcome === 'success') {
    return (
      <span class="outcome">
        <span class={finish === 'length' || finish === 'content_filter' ? 'tag warn' : 'tag ok'}>
          {finish ?? 'ok'}
        </span>
        {attempts > 1 ? <span class="tag warn">{attempts} attempts</span> : null}
      </span>
    );
  }
  const word = outcome === 'client_abort' ? 'client aborted' : (fault ?? outcome).replaceAll('_', ' ');
  return (
    <span class="outcome">
      <span class={outcome === 'client_abort' ? 'tag' : outcome === 'truncated' ? 'tag warn' : 'tag bad'}>
        {word}
      </span>
      {outcome === 'error' ? <span class="faint">{status}</span> : null}
    </span>
  );
}
