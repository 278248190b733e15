/** The content of an answer, in one form for all protocols, in which a recording and a client's answer are compared. */

/** One part, in the order in which the model produced it. */
export type Part =
  | { readonly kind: 'text'; text: string }
  | { readonly kind: 'thinking'; text: string }
  | { readonly kind: 'refusal'; text: string }
  | { readonly kind: 'call'; id: string | undefined; name: string; input: string }
  | { readonly kind: 'image'; data: string }
  | { readonly kind: 'audio'; data: string; transcript: string }
  /** A tool that the provider ran, or its result: by the vendor's name for it. */
  | { readonly kind: 'ran'; readonly name: string };

export type Kind = Part['kind'];

export interface Choice {
  readonly parts: Part[];
  role: string | undefined;
  /** In the protocol's own terms. */
  finish: string | undefined;
  /** Addresses of pages that the text cites, not of all that a search found. */
  readonly sources: Set<string>;
  /** The chosen tokens with their logprobs. */
  readonly logprobs: [token: string, logprob: number][];
}

/** Token counts as in OpenAI's chat: `input` includes cached tokens, `output` includes reasoning. */
export interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** An answer, while it is read and afterwards. */
export class Said {
  readonly choices: Choice[] = [];
  /** The usage in the vendor's own fields. */
  usage: Record<string, unknown> | undefined;
  /** An error came instead of an answer, or within it. */
  failed = false;
  /** The message of the error. */
  failure = '';
  /** The answer was complete. */
  ended = false;

  /** Records an error, whose message is in `message`. */
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

/** Adds text: to the previous part if that is of the same kind. */
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

/** Adds the addresses in these fields, whatever contains them. */
export function addSources(choice: Choice, ...urls: readonly unknown[]): void {
  for (const url of urls) if (typeof url === 'string' && url !== '') choice.sources.add(url);
}

/** The base64 of a data URI, or the address itself. */
export function dataOf(url: unknown): string {
  const text = typeof url === 'string' ? url : '';
  return text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text;
}

/** An unknown kind means that the comparison is incomplete, which must be reported. */
export function unknownKind(protocol: string, kind: unknown): never {
  throw new Error(`${protocol} has something that the measure does not know: ${JSON.stringify(kind)}`);
}

/** A value as the text that is sent, with all digits of integers. */
export function written(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${written(each)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
