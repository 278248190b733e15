import { useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '../api.ts';
import { reason, send } from '../lib/ask.ts';
import { count, span } from '../lib/format.ts';
import { useAsked } from '../lib/hooks.ts';
import { Icon } from '../shell/icons.tsx';
import { piecesOf } from './stream.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly thinking?: string;
  /** How it went, once it is known. */
  readonly facts?: Facts;
  readonly problem?: string;
}

interface Facts {
  readonly id: string;
  readonly target: string;
  readonly attempts: number;
  readonly firstMs: number | null;
  readonly ms: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly finish: string | null;
}

/** Where the model that was asked last is kept. */
const MODEL = 'llmproxy-playground-model';

/** On screens up to this the conversation comes first, pixels. */
const NARROW = 760;

export function Playground({ session }: { session: Session }) {
  const { answer: known } = useAsked<{ models: string[] }>(session.asks ? 'models' : undefined);
  const [model, setModel] = useState(() => localStorage.getItem(MODEL) ?? '');
  const [system, setSystem] = useState('');
  const [temperature, setTemperature] = useState('');
  const [longest, setLongest] = useState('');
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [text, setText] = useState('');
  const [running, setRunning] = useState<AbortController>();
  const end = useRef<HTMLDivElement>(null);
  const models = known?.models ?? [];
  const chosen = model === '' ? (models[0] ?? '') : model;
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns]);
  useEffect(() => () => running?.abort(), [running]);
  const choose = (next: string) => {
    setModel(next);
    localStorage.setItem(MODEL, next);
  };

  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (running || text.trim() === '' || chosen === '') return;
    const asked: readonly Turn[] = [
      ...turns.filter(({ problem }) => problem === undefined),
      { role: 'user', text },
    ];
    const abort = new AbortController();
    setRunning(abort);
    setText('');
    const show = (turn: Turn) => setTurns([...asked, turn]);
    try {
      await answerTo(
        {
          model: chosen,
          stream: true,
          stream_options: { include_usage: true },
          messages: [
            ...(system.trim() === '' ? [] : [{ role: 'system', content: system }]),
            ...asked.map((turn) => ({ role: turn.role, content: turn.text })),
          ],
          ...(temperature === '' ? {} : { temperature: Number(temperature) }),
          ...(longest === '' ? {} : { max_tokens: Number(longest) }),
        },
        abort.signal,
        show,
      );
    } finally {
      setRunning(undefined);
    }
  };

  return (
    <div class="playground-grid">
      <section class="card settings" aria-label="Settings">
        {session.asks ? null : (
          <p class="note">The key {session.key ?? ''} reads ops pages only and may ask no model.</p>
        )}
        <label>
          Model
          <input
            value={chosen}
            list="models"
            placeholder="gpt-4o"
            autocomplete="off"
            onFocus={(event) => event.currentTarget.select()}
            onInput={(event) => choose(event.currentTarget.value)}
          />
        </label>
        <datalist id="models">
          {models.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <details open={innerWidth > NARROW}>
          <summary>System prompt and limits</summary>
          <label>
            System prompt
            <textarea rows={4} value={system} onInput={(event) => setSystem(event.currentTarget.value)} />
          </label>
          <div class="pair">
            <label>
              Temperature
              <input
                type="number"
                min="0"
                max="2"
                step="0.1"
                value={temperature}
                placeholder="default"
                onInput={(event) => setTemperature(event.currentTarget.value)}
              />
            </label>
            <label>
              Longest answer
              <input
                type="number"
                min="1"
                step="1"
                value={longest}
                placeholder="tokens"
                onInput={(event) => setLongest(event.currentTarget.value)}
              />
            </label>
          </div>
        </details>
        <p class="faint">
          Requests go the same way as those of programs
          {session.key === null ? '' : `, in the name of the key ${session.key}`}: they are logged, limited
          and paid for.
        </p>
      </section>
      <section class="card flush talk" aria-label="Conversation">
        <div class="turns" role="log" aria-label="Conversation" aria-live="off">
          {turns.length === 0 ? <p class="empty">Ask something.</p> : null}
          {turns.map((turn, index) => (
            <TurnView
              key={index}
              turn={turn}
              writing={running !== undefined && index === turns.length - 1 && turn.role === 'assistant'}
            />
          ))}
          <div ref={end} />
        </div>
        <form class="compose" onSubmit={submit}>
          <textarea
            rows={2}
            value={text}
            aria-label="Message"
            placeholder="Message"
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void submit(event);
            }}
          />
          <div class="compose-tools">
            <span class="faint">Enter sends, Shift+Enter begins a line</span>
            {turns.length > 0 && !running ? (
              <button class="chip" type="button" onClick={() => setTurns([])}>
                New
              </button>
            ) : null}
            {running ? (
              <button class="chip" type="button" onClick={() => running.abort()}>
                <Icon name="stop" />
                Stop
              </button>
            ) : (
              <button
                class="primary"
                type="submit"
                disabled={!session.asks || text.trim() === '' || chosen === ''}
              >
                Send
                <Icon name="arrow" />
              </button>
            )}
          </div>
        </form>
        <p class="sr" role="status">
          {running
            ? 'The answer is being written'
            : turns.at(-1)?.role === 'assistant'
              ? 'The answer has ended'
              : ''}
        </p>
      </section>
    </div>
  );
}

function TurnView({ turn, writing }: { turn: Turn; writing: boolean }) {
  const { role, text, thinking, facts, problem } = turn;
  return (
    <div class={`message ${role}`}>
      <p class="role">{role === 'user' ? 'You' : 'Assistant'}</p>
      {thinking ? (
        <details class="thinking" open={text === ''}>
          <summary>Reasoning</summary>
          <div class="said">{thinking}</div>
        </details>
      ) : null}
      <div class={writing ? 'said writing' : 'said'}>{text}</div>
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {facts ? (
        <p class="faint turn-facts">
          {facts.target}
          {facts.attempts > 1 ? ` · ${facts.attempts} attempts` : ''} · first content {span(facts.firstMs)} ·{' '}
          {span(facts.ms)}
          {facts.output === null ? '' : ` · ${count(facts.input)} in, ${count(facts.output)} out`}
          {facts.finish === null || facts.finish === 'stop' ? '' : ` · ${facts.finish}`} ·{' '}
          <a href={`#/requests/${encodeURIComponent(facts.id)}`}>request</a>
        </p>
      ) : null}
    </div>
  );
}

/** Asks, and shows the answer as it grows, once for each frame of the screen. */
async function answerTo(body: object, signal: AbortSignal, show: (turn: Turn) => void): Promise<void> {
  const beganMs = performance.now();
  let turn: Turn = { role: 'assistant', text: '' };
  let frame = 0;
  const change = (next: Partial<Turn>) => {
    turn = { ...turn, ...next };
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show(turn);
    });
  };
  change({});
  try {
    const answer = await send('POST', 'chat', body, signal);
    const { headers } = answer;
    let facts: Facts = {
      id: headers.get('x-request-id') ?? '',
      target: `${headers.get('x-llmproxy-provider') ?? ''}/${headers.get('x-llmproxy-model') ?? ''}`,
      attempts: Number(headers.get('x-llmproxy-attempts') ?? 1),
      firstMs: null,
      ms: 0,
      input: null,
      output: null,
      finish: null,
    };
    for await (const piece of piecesOf(answer.body!)) {
      const { text = '', thinking = '', finish, usage, error } = piece;
      if (facts.firstMs === null && text + thinking !== '')
        facts = { ...facts, firstMs: performance.now() - beganMs };
      if (finish !== undefined) facts = { ...facts, finish };
      if (usage)
        facts = { ...facts, input: usage.prompt_tokens ?? null, output: usage.completion_tokens ?? null };
      change({
        text: turn.text + text,
        ...(thinking === '' ? {} : { thinking: (turn.thinking ?? '') + thinking }),
        ...(error === undefined ? {} : { problem: error }),
      });
    }
    change({ facts: { ...facts, ms: performance.now() - beganMs } });
  } catch (thrown) {
    change({ problem: signal.aborted ? 'Stopped' : reason(thrown) });
  }
}
