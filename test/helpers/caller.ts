/** What a caller of the chat API sees, taken down event by event. Times are those of `performance.now()`. */
import type { JsonObject } from '../../src/wire/json.ts';

export interface Told {
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly details?: readonly { target: string; fault: string | null; status: number | null; ms: number }[];
  readonly request_id?: string;
}

export interface Seen {
  readonly id: string;
  readonly status: number;
  readonly headers: Headers;
  /** The body as it came. */
  readonly body: string;
  /** Events of a stream, without the terminator. */
  readonly events: readonly JsonObject[];
  /** How often the stream said [DONE]. */
  readonly done: number;
  /** Data of events that were no JSON. */
  readonly garbage: readonly string[];
  /** The words of the answer. */
  readonly content: string;
  readonly finish: string | null;
  readonly usage: JsonObject | undefined;
  /** An error, as the body or as an event. */
  readonly error: Told | undefined;
  /** Whether the body came to its proper end. */
  readonly complete: boolean;
  /** When the status line was here. */
  readonly headersAtMs: number;
  readonly endedAtMs: number;
}

export interface AskOptions {
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
  /** Further fields of the request. */
  readonly fields?: object;
  readonly signal?: AbortSignal;
  /** Called with all that was read so far, whenever more has come. */
  readonly watch?: (body: string) => void;
}

let asked = 0;

/** A model's name that nobody used before: its fault, and a label. */
export function fresh(fault: string): string {
  asked += 1;
  return `${fault}#${asked}`;
}

/** Asks for a chat completion and reads the answer to its end. */
export async function ask(url: string, model: string, options: AskOptions = {}): Promise<Seen> {
  const { stream = false, headers = {}, fields = {}, signal, watch } = options;
  asked += 1;
  const id = `test-${asked}`;
  const body = { model, messages: [{ role: 'user', content: 'Tell me a tale.' }], stream, ...fields };
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(stream ? { ...body, stream_options: { include_usage: true } } : body),
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
    // A connection each: what one test does to its own is nobody else's trouble.
    keepalive: false,
    ...(signal ? { signal } : {}),
  });
  const headersAtMs = performance.now();
  let text = '';
  let complete = true;
  try {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      watch?.(text);
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    complete = false;
  }
  const { status, headers: replied } = response;
  const times = { headersAtMs, endedAtMs: performance.now() };
  const sse = (replied.get('content-type') ?? '').includes('event-stream');
  const read = sse ? readStream(text) : readWhole(text);
  return { id, status, headers: replied, body: text, complete, ...times, ...read };
}

type Read = Pick<Seen, 'events' | 'done' | 'garbage' | 'content' | 'finish' | 'usage' | 'error'>;

interface Chunk extends JsonObject {
  choices?: { delta?: { content?: string }; message?: { content?: string }; finish_reason?: string | null }[];
  usage?: JsonObject | null;
  error?: Told;
}

function readWhole(text: string): Read {
  const body = parsed(text);
  const none = { events: [], done: 0, garbage: body ? [] : [text] };
  const choice = body?.choices?.[0];
  return {
    ...none,
    content: choice?.message?.content ?? '',
    finish: choice?.finish_reason ?? null,
    usage: body?.usage ?? undefined,
    error: body?.error,
  };
}

function readStream(text: string): Read {
  const data = text
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => event.replace(/^data: ?/, ''));
  const told = data.filter((event) => event !== '[DONE]');
  const events = told.map(parsed).filter((event) => event !== undefined);
  return {
    events,
    done: data.length - told.length,
    garbage: told.filter((event) => !parsed(event)),
    content: events.map((event) => event.choices?.[0]?.delta?.content ?? '').join(''),
    finish: events.findLast((event) => event.choices?.[0]?.finish_reason)?.choices![0]!.finish_reason ?? null,
    usage: events.findLast((event) => event.usage)?.usage ?? undefined,
    error: events.find((event) => event.error)?.error,
  };
}

function parsed(text: string): Chunk | undefined {
  try {
    return JSON.parse(text) as Chunk;
  } catch {
    return undefined;
  }
}
