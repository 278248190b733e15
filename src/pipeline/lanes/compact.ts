import type { ChatResponse } from '../../wire/chat.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { encodeInSteps } from '../../wire/bytes.ts';
import { clientOf } from '../../wire/clients.ts';
import { isObject } from '../../wire/json.ts';
import { writeJson } from '../../wire/json-write.ts';
import { compactedResponse, summaryIn, summaryRequest } from '../../wire/responses/compaction.ts';
import { findModel } from '../../wire/splice.ts';
import { parseAnswer } from './answer.ts';
import { relay } from './relay.ts';
import { translate } from './translate.ts';

/**
 * Compacts a conversation at a provider without an endpoint for that: its model is asked for a summary in a chat, and
 * the result is made opaque.
 */
export const compact: Lane = {
  kind: 'translate',
  *prepare(inbound: Inbound, context: LaneContext): Steps<Prepared> {
    const { nowMs, newId, memory, provider, model } = context;
    const created = Math.floor(nowMs / 1000);
    const { instructions: _, ...others } = inbound.json?.value ?? {};
    const client = clientOf('responses').decode(others, { created, newId, memory, requested: inbound });
    yield;
    const chat = yield* chatOf(inbound, summaryRequest(client.request));
    const lane = provider.relays('chat', model, chat.json!.value) ? relay : translate;
    const prepared = (yield* lane.prepare(chat, context)) as Prepared;
    return {
      ...prepared,
      whole: (text, target) => compactedWhole(text, target, prepared, { created, newId }),
    };
  },
};

function* compactedWhole(
  text: string,
  target: string,
  prepared: Prepared,
  making: Parameters<typeof compactedResponse>[2],
): Steps<WholeAnswer> {
  const answer = yield* prepared.whole(text, target);
  const summaryOf = typeof answer.text === 'string' ? answer.text : answer.text ? decoded(answer.text) : text;
  const value = yield* parseAnswer(summaryOf, target);
  const chatAnswer = isObject(value) ? (value as unknown as ChatResponse) : undefined;
  const summary = chatAnswer && summaryIn(chatAnswer);
  if (summary === undefined) {
    throw new ProxyError('malformed', `Cannot use the answer of ${target}: it contains no summary`, {
      target,
    });
  }
  const compacted = compactedResponse(summary, chatAnswer!.usage, making);
  return { text: JSON.stringify(compacted), finish: answer.finish, usage: answer.usage };
}

/** A chat request in place of the original one. */
function* chatOf(inbound: Inbound, request: object): Steps<Inbound> {
  const value = { ...request, model: inbound.model };
  const text = yield* writeJson(value);
  const bytes = yield* encodeInSteps(text);
  const modelAt = yield* findModel(bytes, true);
  return {
    ...inbound,
    endpoint: 'chat',
    query: undefined,
    chained: undefined,
    stream: false,
    json: { text, value, modelAt },
    bytes,
  };
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
