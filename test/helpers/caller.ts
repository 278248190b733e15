/** What a client of each protocol sees. Times are those of `performance.now()`. */
import type { JsonObject } from '../../src/wire/json.ts';
import type { Read } from './callers/read.ts';
import type { Client, Speech, Told } from './callers/speech.ts';
import { numberOf } from '../../src/wire/json.ts';
import { chat } from './callers/chat.ts';
import { gemini } from './callers/gemini.ts';
import { messages } from './callers/messages.ts';
import { linesAsEvents, ollama } from './callers/ollama.ts';
import { endedByItself, readStream, readWhole } from './callers/read.ts';
import { responses } from './callers/responses.ts';
import { addressed } from './clients.ts';

const SPEECHES: Readonly<Record<Client, Speech>> = {
  chat,
  messages,
  responses,
  gemini,
  ollama: ollama('chat'),
};

export interface Seen extends Read {
  readonly id: string;
  readonly client: Client;
  readonly status: number;
  readonly headers: Headers;
  /** The body, unchanged. */
  readonly body: string;
  /** Whether it was streamed as events. */
  readonly streamed: boolean;
  /** Whether the body ended properly. */
  readonly complete: boolean;
  /** When the status line arrived. */
  readonly headersAtMs: number;
  readonly endedAtMs: number;
}

export interface AskOptions {
  /** Default: `chat`. */
  readonly client?: Client;
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
  /** Additional fields of the request. */
  readonly fields?: object;
  readonly signal?: AbortSignal;
  /** Called with everything read so far, whenever more has arrived. */
  readonly watch?: (body: string) => void;
}

let asked = 0;

/** A new model name: the fault, and a label that was not used before. */
export function fresh(fault: string): string {
  asked += 1;
  return `${fault}#${asked}`;
}

/** Requests a tale in the client's protocol and reads the answer to its end. */
export async function ask(url: string, model: string, options: AskOptions = {}): Promise<Seen> {
  const { client = 'chat', stream = false, headers = {}, fields = {}, signal, watch } = options;
  const speech = SPEECHES[client];
  asked += 1;
  const id = `test-${asked}`;
  const request = { ...speech.request(model, 'Tell me a tale.', stream), ...fields };
  const [path, body] = addressed(speech.path, client === 'gemini' ? { model, stream, ...request } : request);
  const response = await fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...speech.headers, ...headers },
    // A connection for each request, so that a fault on one connection does not affect other tests.
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
  const streamed = /event-stream|ndjson/.test(replied.get('content-type') ?? '');
  const events = client === 'ollama' ? linesAsEvents(text) : text;
  const told = streamed ? readStream(events, speech) : readWhole(text, speech);
  const read = streamed && client === 'gemini' ? endedByItself(told, complete) : told;
  return { id, client, status, headers: replied, body: text, streamed, complete, ...times, ...read };
}

/**
 * Whether a client of the protocol would treat the answer as complete. A stream is complete if its terminator came
 * before any error; clients of chat also treat a body that simply ends as the end of the answer.
 */
export function looksFinished(seen: Seen): boolean {
  const { client, status, streamed, complete, ended, garbage, error, finish } = seen;
  if (status !== 200) return false;
  const untold = complete && error === undefined;
  if (streamed) return ended || (client === 'chat' && untold);
  return untold && garbage.length === 0 && (client !== 'responses' || finish !== null);
}

/** The error that an event reports to a client of the protocol. */
export function errorOf(client: Client, event: JsonObject): Told | undefined {
  return SPEECHES[client].error(event);
}

/** The tokens that the answer reports, whatever its protocol calls them. */
export function tokensOf({ usage = {} }: Seen): { input: number | undefined; output: number | undefined } {
  return {
    input: numberOf(
      usage.prompt_tokens ?? usage.input_tokens ?? usage.promptTokenCount ?? usage.prompt_eval_count,
    ),
    output: numberOf(
      usage.completion_tokens ?? usage.output_tokens ?? usage.candidatesTokenCount ?? usage.eval_count,
    ),
  };
}
