import type { ProviderModel } from '../providers/base.ts';
import type { ChatRequest } from '../wire/chat.ts';
import type { PrefillStyle } from '../wire/continue.ts';
import type { DecodeContext, Understood } from '../wire/protocol.ts';
import type { Inbound } from './inbound.ts';
import type { Answering } from './lanes/lane.ts';
import type { Target } from './target.ts';
import type { Steps } from '../turns.ts';
import { anthropicModel } from '../wire/anthropic/models.ts';
import { encodeInSteps } from '../wire/bytes.ts';
import { clientOf } from '../wire/clients.ts';
import { isTalk } from '../wire/endpoints.ts';
import { continueChat } from '../wire/continue.ts';
import { writeJson } from '../wire/json-write.ts';
import { relayedChat } from '../wire/openai/client.ts';
import { findModel } from '../wire/splice.ts';

/** How providers say that a request may not end with an assistant message, or that they lack the field for it. */
export const PREFILL_REFUSED =
  /prefill|must end with a user|last message (?:role )?must be|continue_final_message|\bprefix\b|assistant messages? (?:as|in) the (?:last|final)/i;

/**
 * How a target goes on from a beginning of its answer: by the configuration, by what it said itself, by its
 * vendor's way, and for Claude by the model, since newer ones refuse it wherever they are served.
 */
export function prefillStyle(target: Target, offer: ProviderModel): PrefillStyle | undefined {
  if (target.refusesPrefill || offer.prefill === false) return undefined;
  const style = target.provider.settings.prefill;
  if (offer.prefill) return style ?? 'assistant';
  return /claude/i.test(target.model) && !anthropicModel(target.model).prefill ? undefined : style;
}

/** A request for the rest of an answer, and how its client is given it. */
export interface Resumable {
  readonly inbound: Inbound;
  readonly client: Answering & Pick<Understood, 'request'>;
}

/**
 * The request that asks for the rest of a cut answer: one of chat, whatever the client speaks. `undefined` where the
 * answer is none that is said in words.
 * @param text what the client has of it
 * @throws ProxyError when the request cannot be said in chat
 */
export function resumable(inbound: Inbound, text: string, context: DecodeContext): Resumable | undefined {
  const { endpoint, json } = inbound;
  if (!json) return undefined;
  if (endpoint === 'chat') {
    const client = { ...relayedChat(json.value), strict: false };
    return { client, inbound: { ...inbound, continuation: { text, translated: false } } };
  }
  if (!isTalk(endpoint)) return undefined;
  const client = clientOf(endpoint).decode(json.value, { ...context, asked: inbound });
  const request = { ...client.request, stream: true, stream_options: { include_usage: true } };
  const asked: Inbound = {
    ...inbound,
    endpoint: 'chat',
    query: undefined,
    chained: undefined,
    json: { text: '', value: request },
    continuation: { text, translated: true },
  };
  return { client: { request, stream: client.stream, strict: true }, inbound: asked };
}

/** The request itself, or the one that continues its cut answer at a target. */
export function* continued(inbound: Inbound, target: Target, offer: ProviderModel): Steps<Inbound> {
  const { continuation, json } = inbound;
  if (continuation === undefined || !json) return inbound;
  const style = prefillStyle(target, offer);
  const value = continueChat(json.value as unknown as ChatRequest, continuation.text, style);
  const text = yield* writeJson(value, inbound.bytes.length);
  const bytes = yield* encodeInSteps(text);
  const modelAt = yield* findModel(bytes, typeof value.model === 'string');
  return { ...inbound, json: { text, value, modelAt }, bytes };
}
