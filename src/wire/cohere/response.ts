import type { ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { endingOf } from '../endings.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { encodeOpenaiUsage } from '../usage.ts';

/** The finish reason in chat's words, or their own where it has none; `null` where none is told. */
export function finishReason(reason: unknown, called: boolean): string | null {
  const finish = endingOf('cohere', reason)?.finish ?? null;
  return called && finish === 'stop' ? 'tool_calls' : finish;
}

/** Cohere's usage, normalised: `tokens` are what the model read and wrote, `billed_units` only what is paid for. */
export function cohereUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const tokens = objectOf(value.tokens ?? value.billed_units);
  const input = countOf(tokens.input_tokens);
  const output = countOf(tokens.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  return {
    input: input ?? 0,
    cached: countOf(value.cached_tokens) ?? 0,
    cacheWrite: 0,
    output: output ?? 0,
    reasoning: countOf(tokens.reasoning_tokens) ?? 0,
  };
}

export type ReadOptions = Pick<EncodeContext, 'model' | 'created' | 'newId'>;

/** A call's arguments; `null` stands for none. */
export function argumentsOf(text: unknown): string {
  const json = isObject(text) ? jsonTextOf(text) : stringOf(text)?.trim();
  return json === undefined || json === '' || json === 'null' ? '{}' : json;
}

/** Cohere's log probabilities of a piece of text as one token's of OpenAI. */
export function logprobsOf(value: unknown): JsonObject | null {
  const content = (Array.isArray(value) ? value : [value]).filter(isObject).map((piece) => ({
    token: stringOf(piece.text) ?? '',
    // A sum that has left the range of numbers is none.
    logprob:
      numberOf(listOf(piece.logprobs).reduce<number>((sum, number) => sum + (numberOf(number) ?? 0), 0)) ?? 0,
    bytes: null,
    top_logprobs: [],
  }));
  return content.length > 0 ? { content, refusal: null } : null;
}

/** A whole answer of v2 chat in OpenAI's shape. @throws ProxyError `malformed` */
export function decodeCohereResponse(answer: JsonObject, options: ReadOptions): ChatResponse {
  if (!isObject(answer.message)) {
    throw new ProxyError('malformed', 'Cannot read the answer: it is no message');
  }
  const { content, tool_plan: plan, tool_calls } = answer.message;
  let text: string | null = stringOf(plan) || null;
  let reasoning = '';
  const parts = typeof content === 'string' ? [{ text: content }] : listOf(content);
  for (const part of parts) {
    const { text: words, thinking } = objectOf(part);
    if (typeof words === 'string') text = (text ?? '') + words;
    reasoning += stringOf(thinking) ?? '';
  }
  const calls = listOf(tool_calls)
    .filter(isObject)
    .map((call): ToolCall => {
      const { name, arguments: json } = objectOf(call.function);
      const id = stringOf(call.id) || `call_${options.newId()}`;
      return { id, type: 'function', function: { name: stringOf(name) ?? '', arguments: argumentsOf(json) } };
    });
  const message: ChatMessage = {
    role: 'assistant',
    content: text,
    refusal: null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const usage = cohereUsage(answer.usage);
  return {
    id: stringOf(answer.id) ?? `chatcmpl-${options.newId()}`,
    object: 'chat.completion',
    created: options.created,
    model: options.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: logprobsOf(answer.logprobs),
        finish_reason: finishReason(answer.finish_reason, calls.length > 0) ?? null,
      },
    ],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}
