/**
 * Calls of functions at Google's own endpoint for OpenAI's chat, which wants back what it signed them with: clients that drop the
 * field get it from memory, and a call that another model made has what stands for a signature.
 */
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import { geminiModel } from '../gemini/models.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { NO_SIGNATURE, signatureIn } from '../parts/issued.ts';

/** Remembers the signatures of the calls in an answer, or in an event of one. */
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

/** The calls of a message, signed as far as that is known. @param model or the one it is like */
export function signedCalls(
  calls: readonly unknown[],
  memory: ReplayMemory,
  model: string,
): readonly unknown[] {
  // Older ones ask for none. Parallel calls have one, with the first.
  const needed = geminiModel(model).pairsById;
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

/** A request of chat whose earlier calls are signed; the same one where they are. */
export function withSignedCalls(request: JsonObject, memory: ReplayMemory, model: string): JsonObject {
  const { messages } = request;
  if (!Array.isArray(messages)) return request;
  const signed = messages.map((message) => {
    const { role, tool_calls: calls } = objectOf(message);
    if (role !== 'assistant' || !Array.isArray(calls)) return message as unknown;
    const kept = signedCalls(calls, memory, model);
    return kept === calls ? message : { ...objectOf(message), tool_calls: kept };
  });
  return signed.every((message, at) => message === messages[at]) ? request : { ...request, messages: signed };
}
