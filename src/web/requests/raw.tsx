import { useState } from 'preact/hooks';
import { BASE, reason } from '../lib/ask.ts';
import { Copy } from '../lib/copy.tsx';
import { bytes } from '../lib/format.ts';

/** How much of a body is shown, characters. The rest is a click away. */
const SHOWN = 200_000;

/** The bodies as logged, loaded on demand. */
export function Raw({ id, has }: { id: string; has: { request: boolean; response: boolean } }) {
  if (!has.request && !has.response) return null;
  return (
    <section aria-label="Raw bodies">
      <h3>Raw bodies</h3>
      {has.request ? <Body key={`${id} request`} id={id} part="request" /> : null}
      {has.response ? <Body key={`${id} response`} id={id} part="response" /> : null}
    </section>
  );
}

function Body({ id, part }: { id: string; part: 'request' | 'response' }) {
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState('');
  const address = `${BASE}/page/requests/${encodeURIComponent(id)}/${part}`;
  const load = async (open: boolean) => {
    if (!open || text !== undefined) return;
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`The proxy answered ${answer.status}`);
      setText(await answer.text());
    } catch (thrown) {
      setProblem(reason(thrown));
    }
  };
  return (
    <details class="raw" onToggle={(event) => void load(event.currentTarget.open)}>
      <summary>{part === 'request' ? 'Request' : 'Response'}</summary>
      {problem === '' ? null : <p class="problem">{problem}</p>}
      {text === undefined ? null : (
        <>
          <p class="raw-tools">
            <span class="faint">{bytes(new Blob([text]).size)}</span>
            <Copy text={text} what={`the ${part}`} />
            <a href={address} target="_blank" rel="noreferrer">
              Open
            </a>
          </p>
          <pre tabIndex={0}>{text.length > SHOWN ? `${text.slice(0, SHOWN)}\n…` : text}</pre>
        </>
      )}
    </details>
  );
}
