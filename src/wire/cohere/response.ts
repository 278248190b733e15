import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { finishReason } from '../endings.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { answerOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { tokenCount } from '../units.ts';
import { decodeCitation } from './citations.ts';

/** Cohere's usage, normalised: `tokens` are what the model processed, `billed_units` only what is charged. */
export function cohereUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const tokens = objectOf(value.tokens ?? value.billed_units);
  const input = tokenCount(tokens.input_tokens);
  const output = tokenCount(tokens.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  return {
    input: input ?? 0,
    cached: tokenCount(value.cached_tokens) ?? 0,
    cacheWrite: 0,
    output: output ?? 0,
    reasoning: tokenCount(tokens.reasoning_tokens) ?? 0,
  };
}

export type ReadOptions = Pick<EncodeContext, 'model' | 'created' | 'newId'>;

/** The arguments of a call; `null` stands for none. */
export function argumentsOf(text: unknown): string {
  const json = isObject(text) ? jsonTextOf(text) : stringOf(text)?.trim();
  return json === undefined || json === '' || json === 'null' ? '{}' : json;
}

/** Cohere's log probabilities of a piece of text as those of one OpenAI token. */
export function logprobsOf(value: unknown): JsonObject | null {
  const content = (Array.isArray(value) ? value : [value]).filter(isObject).map((piece) => ({
    token: stringOf(piece.text) ?? '',
    // A sum that is not finite is left out.
    logprob:
      numberOf(listOf(piece.logprobs).reduce<number>((sum, number) => sum + (numberOf(number) ?? 0), 0)) ?? 0,
    bytes: null,
    top_logprobs: [],
  }));
  return content.length > 0 ? { content, refusal: null } : null;
}

/** Decodes a whole answer of v2 chat. @throws ProxyError `malformed` */
export function decodeCohereResponse(answer: JsonObject, options: ReadOptions): ChatResponse {
  if (!isObject(answer.message)) {
    throw new ProxyError('malformed', 'Cannot read the answer: it is not a message');
  }
  const { list, starts } = readContent(answer.message);
  for (const citation of listOf(answer.message.citations).filter(isObject)) {
    list.annotate(decodeCitation(citation, starts[countOf(citation.content_index) ?? 0] ?? 0));
  }
  for (const call of listOf(answer.message.tool_calls).filter(isObject)) {
    const { name, arguments: json } = objectOf(call.function);
    const id = stringOf(call.id) || `call_${options.newId()}`;
    const fn = { name: stringOf(name) ?? '', arguments: argumentsOf(json) };
    list.call({ id, type: 'function', function: fn });
  }
  const message = answerOf(list.parts);
  const calls = message.tool_calls ?? [];
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
        finish_reason: finishReason('cohere', answer.finish_reason, calls.length > 0 && 'tools'),
      },
    ],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** Thinking, tool plan and text, and the position of each content item in the text. */
function readContent({ content, tool_plan: plan }: JsonObject): { list: PartList; starts: number[] } {
  const list = new PartList();
  const items = (typeof content === 'string' ? [{ text: content }] : listOf(content)).map(objectOf);
  for (const { thinking } of items) list.thinking(stringOf(thinking) ?? '');
  list.text(stringOf(plan) ?? '');
  const starts = items.map(({ text }) => {
    const before = list.length;
    list.text(stringOf(text) ?? '');
    return before;
  });
  return { list, starts };
}
