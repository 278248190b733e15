/** What an answer says, in one form for all protocols: what a recording and what a client got are compared by. */

/** One part, in the order in which the model said it. */
export type Part =
  | { readonly kind: 'text'; text: string }
  | { readonly kind: 'thinking'; text: string }
  | { readonly kind: 'refusal'; text: string }
  | { readonly kind: 'call'; id: string | undefined; name: string; input: string }
  | { readonly kind: 'image'; data: string }
  | { readonly kind: 'audio'; data: string; transcript: string }
  /** A tool that the provider ran, or what it gave: by the vendor's word for it. */
  | { readonly kind: 'ran'; readonly name: string };

export type Kind = Part['kind'];

export interface Choice {
  readonly parts: Part[];
  role: string | undefined;
  /** In the protocol's words. */
  finish: string | undefined;
  /** Addresses of pages that its words cite, not all that a search found. */
  readonly sources: Set<string>;
  /** The chosen tokens with their logarithms. */
  readonly logprobs: [token: string, logprob: number][];
}

/** Tokens, in the sense of OpenAI's chat: `input` holds what was cached, `output` what was thought. */
export interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** An answer while it is read, and when it was. */
export class Said {
  readonly choices: Choice[] = [];
  /** In the vendor's own fields. */
  usage: Record<string, unknown> | undefined;
  /** An error came in place of an answer, or within it. */
  failed = false;
  /** What the error says. */
  failure = '';
  /** It came to its end. */
  ended = false;

  /** Takes an error, whose words stand under `message`. */
  fail(error: unknown): void {
    this.failed = true;
    const { message } = typeof error === 'object' && error !== null ? (error as { message?: unknown }) : {};
    if (typeof message === 'string') this.failure = message;
    else if (typeof error === 'string') this.failure = error;
  }

  choice(index = 0): Choice {
    while (this.choices.length <= index)
      this.choices.push({
        parts: [],
        role: undefined,
        finish: undefined,
        sources: new Set(),
        logprobs: [],
      });
    return this.choices[index]!;
  }
}

/** Adds words: to the part before where that is of the same kind. */
export function addText(parts: Part[], kind: 'text' | 'thinking' | 'refusal', text: unknown): void {
  if (typeof text !== 'string' || text === '') return;
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += text;
  else parts.push({ kind, text });
}

export function addCall(parts: Part[], id: unknown, name: unknown, input: string): Part {
  const given = typeof id === 'string' || typeof id === 'number' ? String(id) : '';
  const call: Part = { kind: 'call', id: given === '' ? undefined : given, name: String(name ?? ''), input };
  parts.push(call);
  return call;
}

/** Addresses in whatever holds them under these names. */
export function addSources(choice: Choice, ...urls: readonly unknown[]): void {
  for (const url of urls) if (typeof url === 'string' && url !== '') choice.sources.add(url);
}

/** The base64 of a data URI, or the address itself. */
export function dataOf(url: unknown): string {
  const text = typeof url === 'string' ? url : '';
  return text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text;
}

/** A kind that nobody has looked at is a failure of the measure, which must be told. */
export function unknownKind(protocol: string, kind: unknown): never {
  throw new Error(`${protocol} has something that the measure does not know: ${JSON.stringify(kind)}`);
}

/** A value as the text that it is sent as, digits of whole numbers kept. */
export function written(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${written(each)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
