import type { ProviderProtocol } from '../../wire/protocol.ts';
import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Inbound } from '../inbound.ts';
import type { LaneContext } from './lane.ts';
import { anthropicProtocol } from '../../wire/anthropic/protocol.ts';
import { clientOf } from '../../wire/clients.ts';
import { geminiProtocol } from '../../wire/gemini/protocol.ts';
import { decodeInteraction } from '../../wire/interactions/answer.ts';
import { isObject, listOf } from '../../wire/json.ts';
import { concatInSteps } from '../../wire/bytes.ts';
import { writeBody } from '../../wire/json-write.ts';
import { streamInSteps } from '../../wire/long-events.ts';
import { chunksOf } from '../../wire/openai/chunks.ts';
import { canonicalChunks } from '../../wire/parts/chunks.ts';
import { responsesProtocol } from '../../wire/responses/protocol.ts';

/** Protocols whose whole answers cannot simply be split into events: they are converted through the canonical form. */
const READERS: Partial<Record<Inbound['endpoint'], ProviderProtocol>> = {
  messages: anthropicProtocol,
  responses: responsesProtocol,
  gemini: geminiProtocol,
};

/**
 * Converts a whole answer of a server that does not stream to the events that its client requested; `undefined` if it
 * is not an answer, or the endpoint has no events.
 * @throws ProxyError `malformed` if it is not an answer of the protocol
 */
export function* wholeAsStream(
  inbound: Inbound,
  { provider, model, nowMs, newId, memory, elapsedMs }: LaneContext,
  value: unknown,
): Steps<Uint8Array<ArrayBuffer> | undefined> {
  const { endpoint, json } = inbound;
  if (!isObject(value)) return undefined;
  if (endpoint === 'chat') {
    const chunks = chunksOf(value);
    if (chunks.length === 0) return undefined;
    return yield* dataEvents(chunks, '[DONE]');
  }
  // An answer of the older completions has the form of an event that contains all of the text.
  if (endpoint === 'completions')
    return listOf(value.choices).length > 0 ? yield* dataEvents([value], '[DONE]') : undefined;
  // A whole answer is the only line of a stream.
  if (endpoint === 'ollama.chat' || endpoint === 'ollama.generate') return yield* dataEvents([value]);
  const protocol = READERS[endpoint];
  if (!protocol && endpoint !== 'gemini.interactions') return undefined;
  const created = Math.floor(nowMs / 1000);
  // The context of the request does not matter here any more.
  const {
    previous_response_id: _p,
    conversation: _c,
    background: _b,
    prompt: _s,
    previous_interaction_id: _i,
    ...requested
  } = json?.value ?? {};
  const client = clientOf(endpoint).decode(requested, {
    created,
    newId,
    memory,
    requested: inbound,
    elapsedMs,
  });
  const context = { model, quirks: provider.quirks(model), created, newId, memory };
  const answer = protocol
    ? protocol.encode(client.request, context).decode(value)
    : decodeInteraction(value, context);
  return yield* streamInSteps(canonicalChunks(answer), client.stream());
}

const encoder = new TextEncoder();

/** Events without names. @param end the data of the last one, as text */
function* dataEvents(values: readonly JsonObject[], end?: string): Steps<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for (const value of values) {
    const data = yield* writeBody(value);
    const written = typeof data === 'string' ? encoder.encode(data) : data;
    pieces.push(encoder.encode('data: '), written, encoder.encode('\n\n'));
  }
  if (end !== undefined) pieces.push(encoder.encode(`data: ${end}\n\n`));
  return yield* concatInSteps(pieces);
}
