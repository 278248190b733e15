import type { ProviderModel } from '../../providers/base.ts';
import type { ChatRequest } from '../../wire/chat.ts';
import type { PrefillStyle } from '../../wire/continue.ts';
import type { DecodeContext, Understood } from '../../wire/protocol.ts';
import type { Inbound } from '../inbound.ts';
import type { Answering } from '../lanes/lane.ts';
import type { Target } from '../targets/target.ts';
import type { Steps } from '../../turns.ts';
import { anthropicModel } from '../../wire/anthropic/models.ts';
import { encodeInSteps } from '../../wire/bytes.ts';
import { clientOf } from '../../wire/clients.ts';
import { isTalk } from '../../wire/endpoints.ts';
import { continueChat } from '../../wire/continue.ts';
import { writeJson } from '../../wire/json-write.ts';
import { relayedChat } from '../../wire/openai/client.ts';
import { findModel } from '../../wire/splice.ts';

/** Providers' messages that a request must not end with an assistant message, or that they lack the field for it. */
export const PREFILL_REFUSED =
  /prefill|must end with a user|last message (?:role )?must be|continue_final_message|\bprefix\b|assistant messages? (?:as|in) the (?:last|final)/i;

/**
 * How a target continues from a prefix of its answer: by the configuration, by what was learned from it, by its vendor,
 * and for Claude by the model, since newer ones reject it at every host.
 */
export function prefillStyle(target: Target, offer: ProviderModel): PrefillStyle | undefined {
  if (target.refusesPrefill || offer.prefill === false) return undefined;
  const style = target.provider.settings.prefill;
  if (offer.prefill) return style ?? 'assistant';
  return /claude/i.test(target.model) && !anthropicModel(target.model).prefill ? undefined : style;
}

/** A request for the rest of an answer, and how the rest is encoded for the client. */
export interface Resumable {
  readonly inbound: Inbound;
  readonly client: Answering & Pick<Understood, 'request'>;
}

/**
 * The request for the rest of an interrupted answer: a chat request, whatever the client's protocol. `undefined` if the
 * answer does not consist of text.
 * @param text what the client has of it
 * @throws ProxyError when the request cannot be expressed in chat
 */
export function resumable(inbound: Inbound, text: string, context: DecodeContext): Resumable | undefined {
  const { endpoint, json } = inbound;
  if (!json) return undefined;
  if (endpoint === 'chat') {
    const client = { ...relayedChat(json.value), strict: false };
    return { client, inbound: { ...inbound, continuation: { text, translated: false } } };
  }
  if (!isTalk(endpoint)) return undefined;
  const client = clientOf(endpoint).decode(json.value, { ...context, requested: inbound });
  const request = { ...client.request, stream: true, stream_options: { include_usage: true } };
  const resumed: Inbound = {
    ...inbound,
    endpoint: 'chat',
    query: undefined,
    chained: undefined,
    json: { text: '', value: request },
    continuation: { text, translated: true },
  };
  return { client: { request, stream: client.stream, strict: true }, inbound: resumed };
}

/** The request itself, or the one that continues its interrupted answer at a target. */
export function* continued(inbound: Inbound, target: Target, offer: ProviderModel): Steps<Inbound> {
  const { continuation, json } = inbound;
  if (continuation === undefined || !json) return inbound;
  const style = prefillStyle(target, offer);
  const value = continueChat(json.value as unknown as ChatRequest, continuation.text, style);
  const text = yield* writeJson(value);
  const bytes = yield* encodeInSteps(text);
  const modelAt = yield* findModel(bytes, typeof value.model === 'string');
  return { ...inbound, json: { text, value, modelAt }, bytes };
}
