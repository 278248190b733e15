/**
 * Signatures of function calls at Google's own OpenAI-compatible endpoint, which requires them back: if a client drops
 * the field, it is restored from memory, and a call by another model gets a placeholder.
 */
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import { geminiModel } from '../gemini/models.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { NO_SIGNATURE, signatureIn } from '../parts/issued.ts';

/** Whether it is Google's own OpenAI-compatible endpoint. */
export function wantsSignatures({ keeps }: Quirks): boolean {
  return keeps?.includes('extra_content') ?? false;
}

/** Remembers the signatures of calls in an answer, or in a stream event. */
export function rememberSignatures({ choices }: JsonObject, memory: ReplayMemory): void {
  for (const choice of listOf(choices)) {
    const { message, delta } = objectOf(choice);
    for (const call of listOf(objectOf(message ?? delta).tool_calls)) {
      const { id, extra_content: extra } = objectOf(call);
      if (typeof id === 'string' && signatureIn(extra) !== undefined) {
        memory.set(id, { ...memory.get(id), extra_content: extra });
      }
    }
  }
}

/**
 * The calls of a message with their signatures, as far as known.
 * @param model or the model it is equivalent to
 * @param demanded whether calls without signatures are rejected, whatever the model's name says
 */
export function signedCalls(
  calls: readonly unknown[],
  memory: ReplayMemory,
  model: string,
  demanded?: true,
): readonly unknown[] {
  // Older models require none. Parallel calls have one, on the first.
  const needed = demanded ?? geminiModel(model).signsCalls;
  const signed = calls.map((call, at) => {
    if (!isObject(call) || signatureIn(call.extra_content) !== undefined) return call;
    const known = memory.get(stringOf(call.id) ?? '')?.extra_content;
    if (known !== undefined) return { ...call, extra_content: known };
    return needed && at === 0
      ? { ...call, extra_content: { google: { thought_signature: NO_SIGNATURE } } }
      : call;
  });
  return signed.every((call, at) => call === calls[at]) ? calls : signed;
}

/** A chat request with signatures on its earlier calls; the same object if nothing changes. */
export function withSignedCalls(
  request: JsonObject,
  memory: ReplayMemory,
  model: string,
  demanded?: true,
): JsonObject {
  const { messages } = request;
  if (!Array.isArray(messages)) return request;
  const signed = messages.map((message) => {
    const { role, tool_calls: calls } = objectOf(message);
    if (role !== 'assistant' || !Array.isArray(calls)) return message as unknown;
    const kept = signedCalls(calls, memory, model, demanded);
    return kept === calls ? message : { ...objectOf(message), tool_calls: kept };
  });
  return signed.every((message, at) => message === messages[at]) ? request : { ...request, messages: signed };
}
