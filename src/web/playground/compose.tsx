import { useState } from 'preact/hooks';
import { Icon } from '../shell/icons.tsx';

interface ComposeProps {
  /** Whether something may be sent now. */
  readonly ready: boolean;
  readonly running: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
  /** Begins a new conversation; omitted if there is none yet. */
  readonly onNew: (() => void) | undefined;
}

/** The field for the next message. */
export function Compose({ ready, running, onSend, onStop, onNew }: ComposeProps) {
  const [text, setText] = useState('');
  const sendable = ready && !running && text.trim() !== '';
  const send = (event: Event) => {
    event.preventDefault();
    if (!sendable) return;
    onSend(text);
    setText('');
  };
  return (
    <form class="compose" onSubmit={send}>
      <textarea
        rows={2}
        value={text}
        aria-label="Message"
        placeholder="Message"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
        }}
      />
      <div class="compose-tools">
        <span class="faint">Enter sends, Shift+Enter starts a new line</span>
        {onNew && !running ? (
          <button class="chip" type="button" onClick={onNew}>
            New
          </button>
        ) : null}
        {running ? (
          <button class="chip" type="button" onClick={onStop}>
            <Icon name="stop" />
            Stop
          </button>
        ) : (
          <button class="primary" type="submit" disabled={!sendable}>
            Send
            <Icon name="arrow" />
          </button>
        )}
      </div>
    </form>
  );
}
