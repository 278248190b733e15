import type { ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { finishReason } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { answerOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import type { Grounded } from './grounding.ts';
import { extraOf, wholePart } from './answer-parts.ts';
import { annotationsOf, grounded, searchOf } from './grounding.ts';
import { contentUsage } from './groundings.ts';
import { decodeLogprobs } from './logprobs.ts';

export type GeminiContext = Pick<EncodeContext, 'created' | 'memory' | 'model' | 'newId'>;

/** Decodes a whole answer. @throws ProxyError `malformed` */
export function decodeGeminiResponse(body: JsonObject, context: GeminiContext): ChatResponse {
  const candidates = listOf(body.candidates).filter(isObject);
  const blocked = stringOf(objectOf(body.promptFeedback).blockReason);
  if (candidates.length === 0 && blocked === undefined) {
    throw new ProxyError('malformed', 'Cannot read the answer: it has no candidates');
  }
  const usage = contentUsage(body);
  const choices =
    candidates.length === 0
      ? [{ index: 0, message: refused(), logprobs: null, finish_reason: 'content_filter' }]
      : candidates.map((candidate, at) => decodeCandidate(candidate, at, context));
  return {
    id: idOf(body, context),
    object: 'chat.completion',
    created: context.created,
    model: stringOf(body.modelVersion) ?? context.model,
    choices,
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

function refused(): ChatMessage {
  return { role: 'assistant', content: '', refusal: null };
}

export function idOf(body: JsonObject, { newId }: Pick<GeminiContext, 'newId'>): string {
  return `chatcmpl-${stringOf(body.responseId) ?? newId()}`;
}

function decodeCandidate(
  candidate: JsonObject,
  at: number,
  context: GeminiContext,
): ChatResponse['choices'][0] {
  const list = new PartList();
  const texts: (Grounded | undefined)[] = [];
  listOf(objectOf(candidate.content).parts).forEach((part, place) => {
    const { text, thought, functionCall, thoughtSignature } = objectOf(part);
    if (isObject(functionCall)) list.call(decodeCall(functionCall, thoughtSignature, context));
    else if (typeof text !== 'string') for (const each of wholePart(objectOf(part), context)) list.add(each);
    else if (thought === true) list.thinking(text);
    else {
      texts[place] = grounded(text, list.length);
      list.text(text);
      if (typeof thoughtSignature === 'string') list.accompany(extraOf(thoughtSignature));
    }
  });
  if (isObject(candidate.groundingMetadata)) {
    list.annotate(annotationsOf(candidate.groundingMetadata, texts));
    for (const part of searchOf(candidate.groundingMetadata, `search_${context.newId()}`)) list.add(part);
  }
  const message = answerOf(list.parts, '');
  const calls = message.tool_calls ?? [];
  const finish_reason = finishReason('gemini', candidate.finishReason, calls.length > 0 && 'tools');
  const logprobs = decodeLogprobs(candidate.logprobsResult);
  return { index: countOf(candidate.index) ?? at, message, logprobs, finish_reason };
}

/** A call, whose signature is also remembered: many clients drop the field that contains it. */
export function decodeCall(call: JsonObject, signature: unknown, { memory, newId }: GeminiContext): ToolCall {
  const id = stringOf(call.id) || `call_${newId()}`;
  const extra = typeof signature === 'string' ? { extra_content: extraOf(signature) } : {};
  if (extra.extra_content) memory.set(id, extra);
  const args = jsonTextOf(isObject(call.args) ? call.args : {});
  return { id, type: 'function', function: { name: stringOf(call.name) ?? '', arguments: args }, ...extra };
}
