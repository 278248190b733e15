/** Describes an error in a plugin, and where it was thrown. */

/** A plugin that loads but is invalid; not an error thrown by its code. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
}

/** What Bun throws for code that it cannot parse or find. */
interface BuildProblem {
  readonly message?: unknown;
  readonly position?: { readonly file?: string; readonly line?: number; readonly column?: number } | null;
}

/** The longest part of an error message that is shown, characters. */
const MAX_WORDS = 500;

/** A thrown value on one line with its place: "TypeError: x is not a function at /etc/llmproxy/acme.ts:3:7". */
export function described(thrown: unknown): string {
  if (thrown instanceof PluginError) return thrown.message;
  const [first] = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [];
  const { message, position } = (first ?? thrown ?? {}) as BuildProblem;
  if (position?.file) {
    const place = `${position.file}:${position.line ?? 1}:${position.column ?? 1}`;
    return `${shortened(String(message))} at ${place}`;
  }
  if (!(thrown instanceof Error)) return `it threw ${shortened(shown(thrown))}`;
  const place = placeOf(thrown);
  const words = shortened(thrown.message);
  const named = thrown.name === 'Error' ? words : `${thrown.name}: ${words}`;
  return place === undefined ? named : `${named} at ${place}`;
}

/** The first place in a stack trace that is a file outside this program: "/etc/llmproxy/acme.ts:3:7". */
export function placeOf({ stack = '' }: Error): string | undefined {
  for (const line of stack.split('\n')) {
    const [, place] = /^\s+at (?:.*\()?((?:\/|[A-Z]:[\\/]).*?:\d+(?::\d+)?)\)?$/.exec(line) ?? [];
    if (place !== undefined && !place.includes('/$bunfs/') && !place.includes('~BUN')) return place;
  }
  return undefined;
}

function shortened(words: string): string {
  const line = words.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}

function shown(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  } catch {
    return typeof thrown;
  }
}
