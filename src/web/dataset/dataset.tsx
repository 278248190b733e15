import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { PreviewAnswer, Session } from '../api.ts';
import { exportArguments, shellWords } from '../filter/command.ts';
import { parseFilter } from '../filter/parse.ts';
import { Copy } from '../lib/copy.tsx';
import { useFetched, useSettled } from '../lib/hooks.ts';
import type { Route } from '../lib/route.ts';
import { go } from '../lib/route.ts';
import { FilterBar } from '../requests/filter-bar.tsx';
import { FORMAT_GROUPS } from './formats.ts';
import { pretty } from '../requests/conversation.tsx';

export function Dataset({ session, route }: { session: Session; route: Route }) {
  const [format, setFormat] = useState<string>('openai');
  const [successfulOnly, setSuccessfulOnly] = useState(true);
  const [redact, setRedact] = useState(false);
  const { filter } = route;
  const choice = { format, successfulOnly, redact };
  const words = shellWords([
    'llmproxy',
    'export',
    ...exportArguments(parseFilter(filter), choice),
    '--output',
    'dataset.jsonl',
  ]);
  const query = useSettled(
    new URLSearchParams({
      filter,
      format,
      successful: String(successfulOnly),
      redact: String(redact),
    }).toString(),
    200,
  );
  const { answer, problem, loading } = useFetched<PreviewAnswer>(
    session.logged && session.content ? `preview?${query}` : undefined,
  );
  return (
    <>
      <section class="card flush" aria-label="What is exported">
        <div class="bar">
          <FilterBar
            filter={filter}
            onFilter={(next) => go({ view: 'dataset', filter: next }, true)}
            placeholder="Which requests: model:gpt tag.team:search since:7d"
          />
          <div class="bar-tools">
            <select
              aria-label="Format"
              value={format}
              onChange={(event) => setFormat(event.currentTarget.value)}
            >
              {Object.entries(FORMAT_GROUPS).map(([group, formats]) => (
                <optgroup key={group} label={group}>
                  {Object.entries(formats).map(([name, title]) => (
                    <option key={name} value={name}>
                      {title}
                    </option>
                  ))}
                </optgroup>
              ))}
            </select>
            <button
              class="chip"
              type="button"
              aria-pressed={successfulOnly}
              onClick={() => setSuccessfulOnly(!successfulOnly)}
            >
              Successful only
            </button>
            <button class="chip" type="button" aria-pressed={redact} onClick={() => setRedact(!redact)}>
              Redact
            </button>
          </div>
        </div>
        <div class="command">
          <pre tabIndex={0} aria-label="Command">
            {words.map((word, index) => (
              <Fragment key={index}>
                {index === 0 ? '' : ' '}
                <span>{word}</span>
              </Fragment>
            ))}
          </pre>
          <Copy text={words.join(' ')} what="the command" label="Copy" />
        </div>
      </section>
      {session.logged ? null : <p class="note">The request log is off: there is nothing to export.</p>}
      {session.content ? null : (
        <p class="note">The key {session.key ?? ''} may only read ops pages: rows are not shown to it.</p>
      )}
      {problem ? (
        <p class="note bad" role="alert">
          {problem}
        </p>
      ) : null}
      {answer ? <Preview answer={answer} stale={loading} /> : loading ? <p class="empty">Looking…</p> : null}
    </>
  );
}

function Preview({ answer, stale }: { answer: PreviewAnswer; stale: boolean }) {
  const { records, rows, dropped, problem } = answer;
  return (
    <section aria-label="Preview" class={stale ? 'preview stale' : 'preview'}>
      {problem === null ? null : (
        <p class="note bad" role="alert">
          {problem}
        </p>
      )}
      <p class="muted">
        {records === 0
          ? 'No record matches the filter.'
          : `Of the newest ${records} ${records === 1 ? 'record' : 'records'} that match the filter, the export makes ${made(rows.length)}.`}
        {Object.entries(dropped).length > 0 ? ' Left out: ' : ''}
        {Object.entries(dropped).map(([why, number]) => (
          <span class="tag" key={why}>
            {number} {why}
          </span>
        ))}
      </p>
      {rows.map((row, index) => (
        <pre key={index} class="card row-preview" tabIndex={0} aria-label={`Row ${index + 1}`}>
          {pretty(row)}
        </pre>
      ))}
    </section>
  );
}

/** The largest number of rows shown. */
const MOST_ROWS = 20;

function made(rows: number): string {
  if (rows === MOST_ROWS) return `at least ${MOST_ROWS} rows`;
  return `${rows} ${rows === 1 ? 'row' : 'rows'}`;
}
