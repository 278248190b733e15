import type { ShownMessage, ShownPart } from '../api.ts';

const NAMES: Readonly<Record<string, string>> = {
  system: 'System',
  developer: 'Developer',
  user: 'User',
  assistant: 'Assistant',
  tool: 'Tool',
};

/** The conversation, in order. All of it is rendered as text, and cannot become part of the page. */
export function Conversation({ said }: { said: readonly ShownMessage[] }) {
  return (
    <ol class="conversation">
      {said.map(({ role, parts }, index) => (
        <li key={index} class={`message ${Object.hasOwn(NAMES, role) ? role : 'other'}`}>
          <p class="role">{Object.hasOwn(NAMES, role) ? NAMES[role] : role}</p>
          {parts.length === 0 ? <p class="faint">(nothing)</p> : null}
          {parts.map((part, each) => (
            <Part key={each} part={part} />
          ))}
        </li>
      ))}
    </ol>
  );
}

function Part({ part }: { part: ShownPart }) {
  switch (part.kind) {
    case 'text':
      return <div class="said">{part.text}</div>;
    case 'refusal':
      return (
        <div class="said">
          <span class="tag warn">refusal</span> {part.text}
        </div>
      );
    case 'thinking':
      return (
        <details class="thinking">
          <summary>Reasoning</summary>
          <div class="said">{part.text}</div>
        </details>
      );
    case 'call':
      return (
        <div class="call">
          <p>
            <span class="tag">call</span> <code>{part.name}</code>
          </p>
          <pre tabIndex={0}>{pretty(part.text)}</pre>
        </div>
      );
    case 'result':
      return <pre tabIndex={0}>{pretty(part.text)}</pre>;
    case 'image':
      return part.url.startsWith('data:image/') ? (
        <img class="picture" src={part.url} alt="Image in the conversation" />
      ) : (
        <p class="faint">
          Picture at <code>{part.url}</code>
        </p>
      );
    case 'other':
      return (
        <p>
          <span class="tag">{part.name}</span> <span class="faint">{part.text}</span>
        </p>
      );
  }
}

/** JSON with line breaks; other text unchanged. */
export function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
