import { useState } from 'preact/hooks';
import { Icon } from '../shell/icons.tsx';

/** How long the confirmation is shown, milliseconds. */
const SAID_MS = 1_500;

/** A button that copies a text. Browsers allow that if the page is on localhost or uses HTTPS. */
export function Copy({ text, what, label }: { text: string; what: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  if (!isSecureContext) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  return (
    <button
      class={label === undefined ? 'quiet small' : 'chip'}
      type="button"
      onClick={() => void copy()}
      aria-label={`Copy ${what}`}
    >
      <Icon name={copied ? 'check' : 'copy'} />
      {label === undefined ? null : copied ? 'Copied' : label}
    </button>
  );
}
