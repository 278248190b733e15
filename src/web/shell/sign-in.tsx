import { useRef, useState } from 'preact/hooks';
import { reason, send } from '../lib/ask.ts';
import { Logo } from './logo.tsx';

/** Asks for a key. @param done called when it was accepted */
export function SignIn({ done }: { done: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await send('POST', 'session', { key: field.current?.value ?? '' });
      done();
    } catch (thrown) {
      setProblem(reason(thrown));
      field.current?.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <Logo />
        <h1>llmproxy</h1>
        <p class="muted">Sign in with a key that may read ops pages.</p>
        {/* Password managers recognise it by this name. */}
        <input type="text" name="username" autocomplete="username" value="llmproxy" readOnly hidden />
        <label for="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="current-password"
          required
          autofocus
          aria-describedby="sign-in-problem"
          aria-invalid={problem !== ''}
        />
        <p id="sign-in-problem" class="problem" role="alert">
          {problem}
        </p>
        <button class="primary" type="submit" disabled={busy}>
          Sign in
        </button>
        <p class="faint">The key is exchanged for a session of 12 hours that only this browser holds.</p>
      </form>
    </main>
  );
}
