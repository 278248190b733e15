import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', 'k'], 'Next and previous request'],
  [['Enter'], 'Open the request'],
  [['Esc'], 'Close, or leave the field'],
  [['/'], 'Go to the filter'],
  [['f'], 'Show only failed requests, or all'],
  [['p'], 'Pause and resume'],
  [['1', '…', '6'], 'Requests, usage, providers, playground, dataset, config'],
  [['t'], 'Light, dark, or system theme'],
  [['?'], 'This list'],
];

const WORDS: readonly (readonly [example: string, what: string])[] = [
  ['gpt', 'in the model, provider, key, id, fault, user or conversation'],
  ['model:gpt key=web', 'in a field; exactly'],
  ['failed', 'all but complete answers'],
  ['-provider:azure', 'everything else'],
  ['status:5xx latency:>2s cost:>0.01', 'numbers; also first, in, out, attempts'],
  ['tag.team:search', 'tags and labels'],
  ['since:24h until:2026-11-20', 'history'],
];

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-label="Keyboard shortcuts"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2>Keyboard</h2>
          <button class="quiet" type="button" onClick={close} aria-label="Close">
            <Icon name="close" />
          </button>
        </div>
        <dl class="keys">
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <h2>Filter</h2>
        <dl class="words">
          {WORDS.map(([example, what]) => (
            <div key={example}>
              <dt>
                <code>{example}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </div>
    </dialog>
  );
}
