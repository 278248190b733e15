import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestDetail } from '../api.ts';
import { ask, reason, Refused } from '../lib/ask.ts';
import { Icon } from '../shell/icons.tsx';
import { Copy } from '../lib/copy.tsx';
import { Attempts } from './attempts.tsx';
import { Conversation } from './conversation.tsx';
import { Facts } from './facts.tsx';
import { Feedback } from './feedback.tsx';
import { Raw } from './raw.tsx';

/**
 * A request appears in the log shortly after its answer has ended: the number of retries and their interval,
 * milliseconds.
 */
const LOOKS = 6;
const AGAIN_MS = 400;

/** One request beside the list. */
export function Detail({ id, close }: { id: string; close: () => void }) {
  const [detail, setDetail] = useState<RequestDetail>();
  const [problem, setProblem] = useState('');
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const abort = new AbortController();
    setProblem('');
    void look(id, abort.signal).then(setDetail, (thrown: unknown) => {
      if (!abort.signal.aborted) {
        setDetail(undefined);
        setProblem(reason(thrown));
      }
    });
    panel.current?.scrollTo(0, 0);
    return () => abort.abort();
  }, [id]);
  const shown = detail?.row.id === id ? detail : undefined;
  return (
    <aside class="detail" ref={panel} aria-label="Request" tabIndex={-1}>
      <header>
        <div>
          <h2>{shown ? shown.row.model || shown.row.endpoint : 'Request'}</h2>
          <p class="faint id">
            <code>{id}</code> <Copy text={id} what="the id" />
          </p>
        </div>
        <button class="quiet" type="button" onClick={close} aria-label="Close" title="Close (Esc)">
          <Icon name="close" />
        </button>
      </header>
      {problem === '' ? null : (
        <p class="note bad" role="alert">
          {problem}
        </p>
      )}
      {shown ? <Body detail={shown} /> : problem === '' ? <p class="empty">Looking…</p> : null}
    </aside>
  );
}

async function look(id: string, signal: AbortSignal): Promise<RequestDetail> {
  for (let looks = 1; ; looks++) {
    try {
      return await ask<RequestDetail>(`requests/${encodeURIComponent(id)}`, signal);
    } catch (thrown) {
      if (!(thrown instanceof Refused) || thrown.status !== 404 || looks >= LOOKS) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      signal.throwIfAborted();
    }
  }
}

function Body({ detail }: { detail: RequestDetail }) {
  const { row, said, unsaid, tools, notes, error } = detail;
  const words = { ...row.tags, ...row.labels };
  return (
    <>
      <Facts detail={detail} />
      {Object.keys(words).length > 0 ? (
        <p class="words">
          {Object.entries(words).map(([name, value]) => (
            <span class="tag" key={name}>
              {name}={value}
            </span>
          ))}
        </p>
      ) : null}
      {error ? <p class="error-words">{error}</p> : null}
      {notes.map((note) => (
        <p class="faint" key={note}>
          {note}.
        </p>
      ))}
      <Attempts detail={detail} />
      <section aria-label="Conversation">
        <h3>Conversation</h3>
        {tools.length > 0 ? (
          <p class="faint">
            Tools: {tools.slice(0, 30).join(', ')}
            {tools.length > 30 ? ` and ${tools.length - 30} more` : ''}
          </p>
        ) : null}
        {said ? <Conversation said={said} /> : <p class="muted">{unsaid}</p>}
      </section>
      <Feedback rows={detail.feedback} />
      <Raw id={row.id} has={detail.raw} />
    </>
  );
}
