import { useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '../api.ts';
import { useFetched } from '../lib/hooks.ts';
import type { Turn } from './chat.ts';
import { answerTo } from './chat.ts';
import { Compose } from './compose.tsx';
import type { Settings } from './settings.tsx';
import { requestOf, SettingsCard } from './settings.tsx';
import { TurnView } from './turn.tsx';

/** The storage key of the model used last. */
const MODEL = 'llmproxy-playground-model';

export function Playground({ session }: { session: Session }) {
  const { answer } = useFetched<{ models: string[] }>(session.asks ? 'models' : undefined);
  const models = answer?.models ?? [];
  const [settings, change] = useSettings();
  // Written into the field, it would be joined with what somebody types while the models are loaded.
  const model = settings.model === '' ? (models[0] ?? '') : settings.model;
  const { turns, running, ask, stop, clear } = useChat();
  return (
    <div class="playground-grid">
      <SettingsCard session={session} settings={settings} onChange={change} models={models} />
      <section class="card flush talk" aria-label="Conversation">
        <Turns turns={turns} running={running} />
        <Compose
          ready={session.asks && model !== ''}
          running={running}
          onSend={(text) => void ask({ ...settings, model }, text)}
          onStop={stop}
          onNew={turns.length > 0 ? clear : undefined}
        />
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

/** The settings, with the model used last. */
function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, setSettings] = useState<Settings>(() => ({
    model: localStorage.getItem(MODEL) ?? '',
    system: '',
    temperature: '',
    longest: '',
  }));
  const change = (next: Partial<Settings>) => {
    if (next.model !== undefined) localStorage.setItem(MODEL, next.model);
    setSettings((last) => ({ ...last, ...next }));
  };
  return [settings, change];
}

/** A conversation, and the answer in progress. */
function useChat() {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [running, setRunning] = useState<AbortController>();
  useEffect(() => () => running?.abort(), [running]);
  const ask = async (settings: Settings, text: string): Promise<void> => {
    const earlier: readonly Turn[] = [
      ...turns.filter(({ problem }) => problem === undefined),
      { role: 'user', text },
    ];
    const abort = new AbortController();
    setRunning(abort);
    try {
      await answerTo(requestOf(settings, earlier), abort.signal, (turn) => setTurns([...earlier, turn]));
    } finally {
      setRunning(undefined);
    }
  };
  return {
    turns,
    running: running !== undefined,
    ask,
    stop: () => running?.abort(),
    clear: () => setTurns([]),
  };
}

function Turns({ turns, running }: { turns: readonly Turn[]; running: boolean }) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns]);
  return (
    <div class="turns" role="log" aria-label="Conversation" aria-live="off">
      {turns.length === 0 ? <p class="empty">Ask something.</p> : null}
      {turns.map((turn, index) => (
        <TurnView
          key={index}
          turn={turn}
          writing={running && index === turns.length - 1 && turn.role === 'assistant'}
        />
      ))}
      <div ref={end} />
    </div>
  );
}
