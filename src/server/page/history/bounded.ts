/** Shortens a conversation to what a browser can display. The raw bodies contain all of it. */
import type { ShownMessage, ShownPart } from '../../../web/api.ts';

/** The limit for one part, characters. */
const MAX_TEXT = 100_000;
/** The limit for images, which are shown whole or not at all, characters. */
const MAX_PICTURE = 3_000_000;
/** The limit for the whole conversation, characters. */
const MAX_ALL = 6_000_000;

export function bounded(messages: readonly ShownMessage[]): ShownMessage[] {
  let left = MAX_ALL;
  // The last turns are the most interesting ones.
  const kept: ShownMessage[] = [];
  for (const { role, parts } of messages.toReversed()) {
    const shown = parts.map((part) => {
      const short = shortened(part, left);
      left -= sizeOf(short);
      return short;
    });
    kept.push({ role, parts: shown });
  }
  return kept.toReversed();
}

function shortened(part: ShownPart, left: number): ShownPart {
  if (part.kind === 'image') {
    return part.url.length <= Math.min(MAX_PICTURE, left)
      ? part
      : {
          kind: 'other',
          name: 'image',
          text: `of ${part.url.length} characters, too large to be shown here`,
        };
  }
  const most = Math.max(200, Math.min(MAX_TEXT, left));
  if (part.text.length <= most) return part;
  const cut = part.text.length - most;
  return { ...part, text: `${part.text.slice(0, most)}\n… ${cut} more characters, see the raw bodies` };
}

function sizeOf(part: ShownPart): number {
  return part.kind === 'image' ? part.url.length : part.text.length;
}
