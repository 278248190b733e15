import type { ServerBindings } from '../../context.ts';
import type { Inference } from '../../inference.ts';
import type { HeaderMap } from '../../../wire/headers.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { Steps } from '../../../turns.ts';
import type { LastAnswer } from '../last-answer.ts';
import { exactly } from '../../../wire/json-exact.ts';
import { writeBody } from '../../../wire/json-write.ts';
import { isObject, objectOf, parseJson } from '../../../wire/json.ts';
import { SseReader } from '../../../wire/sse.ts';

/** The connection that requests arrive over. */
export interface TurnsOf {
  readonly url: string;
  /** The headers of the handshake, including the key. */
  readonly headers: HeaderMap;
  readonly bindings: ServerBindings;
}

/** A `response.create`, and the equivalent body over HTTP. */
interface Turn {
  readonly event: JsonObject;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** The last answer of its lane. */
  readonly last: LastAnswer;
}

/** Fields of a request that concern the transport. */
const TRANSPORT = [
  'type',
  'stream',
  'background',
  'stream_options',
  'stream_id',
  'generate',
  'event_id',
] as const;

/** Headers of a handshake that do not belong to a request. */
const OF_HANDSHAKE =
  /^(?:sec-websocket-.*|upgrade|connection|content-.*|transfer-encoding|accept-encoding|x-request-id|idempotency-key)$/;

/** The client that an answer is for. */
interface AnswerTo {
  readonly signal: AbortSignal;
  /** Sends an event; resolves when the client can take more. */
  readonly send: (event: string) => Promise<void>;
  /** Waits for the next iteration of the event loop if this one has lasted long enough. */
  readonly pause: () => Promise<void> | undefined;
}

/** The final events of a stream that failed. */
const FAILED: ReadonlySet<unknown> = new Set(['error', 'response.failed']);

/**
 * Handles one `response.create` like the same request over HTTP: with its limits, its record and its storage.
 */
export async function answerTurn(
  { event, body, last }: Turn,
  ask: Inference,
  { url, headers, bindings }: TurnsOf,
  { signal, send, pause }: AnswerTo,
): Promise<void> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !OF_HANDSHAKE.test(name)) sent[name] = value;
  sent['content-type'] = 'application/json';
  sent['content-length'] = String(typeof body === 'string' ? Buffer.byteLength(body) : body.length);
  const request = new Request(url, { method: 'POST', body, headers: sent, signal });
  const reply = await ask(request, sent, bindings, undefined, last);
  const failed = reply.ok ? await copied(reply, send, pause) : await refused(reply, send);
  // An answer that could not be continued once is not tried again.
  if (failed && !signal.aborted && event.previous_response_id) last.forget();
}

/** The body of the equivalent HTTP request. @param text the message */
export function* bodyOf(event: JsonObject, text: string): Steps<string | Uint8Array<ArrayBuffer>> {
  const own = Object.entries(exactly(text, event)).filter(([name]) => !TRANSPORT.includes(name as never));
  return yield* writeBody({ ...Object.fromEntries(own), stream: true });
}

/** How many bytes are read between two pauses. */
const STRIDE = 2 * 1024 * 1024;

/** @returns whether it ended with a failure */
async function copied(reply: Response, send: AnswerTo['send'], pause: AnswerTo['pause']): Promise<boolean> {
  const events = new SseReader();
  let failed = false;
  for await (const bytes of inStrides(reply.body ?? [])) {
    await pause();
    for (const { event, data } of events.push(bytes)) {
      if (data === '[DONE]') continue;
      // Almost all servers name events, so that a long one need not be parsed.
      failed ||= FAILED.has(event ?? objectOf(parseJson(data)).type);
      await send(data);
    }
  }
  return failed;
}

async function* inStrides(body: AsyncIterable<Uint8Array> | []): AsyncGenerator<Uint8Array> {
  for await (const bytes of body)
    for (let at = 0; at < bytes.length; at += STRIDE) yield bytes.subarray(at, at + STRIDE);
}

/** @see https://developers.openai.com/docs/guides/websocket-mode */
async function refused(reply: Response, send: (event: string) => Promise<void>): Promise<boolean> {
  const parsed = parseJson(await reply.text());
  const error = isObject(parsed) ? objectOf(parsed.error) : {};
  await send(JSON.stringify({ type: 'error', status: reply.status, error }));
  return true;
}

/** An error of a connection, as an event. */
export function errorEvent(
  status: number,
  code: string,
  message: string,
  param: string | null = null,
): string {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return JSON.stringify({ type: 'error', status, error: { type, code, message, param } });
}

/**
 * An event with the id of its lane. @param id `stream_id`, whose characters need no escaping; omitted if the request
 * had none
 */
export function inLane(event: string, id: string | undefined): string {
  return id === undefined ? event : event.replace(/^\s*\{/, `{"stream_id":"${id}",`);
}
