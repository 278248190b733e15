import type { ChatMessage, ChatResponse, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { endingOf } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { encodeOpenaiUsage, sumOf } from '../usage.ts';

/**
 * The finish reason of an answer in chat's words, or their own where it has none; `null` where none is told.
 * @param structured whether the only tool call stands for structured output, which is content to the client
 */
export function finishReason(stopReason: unknown, structured: boolean): string | null {
  const finish = endingOf('converse', stopReason)?.finish ?? null;
  return structured && finish === 'tool_calls' ? 'stop' : finish;
}

/** Bedrock's usage, normalised: their `inputTokens` leaves out what the cache gave or took. */
export function converseUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = countOf(value.inputTokens);
  const output = countOf(value.outputTokens);
  if (input === undefined && output === undefined) return undefined;
  const cached = countOf(value.cacheReadInputTokens) ?? 0;
  const cacheWrite = countOf(value.cacheWriteInputTokens) ?? 0;
  const all = sumOf(input ?? 0, cached, cacheWrite);
  return { input: all, cached, cacheWrite, output: output ?? 0, reasoning: 0 };
}

export interface ReadOptions extends Pick<EncodeContext, 'model' | 'created' | 'newId' | 'memory'> {
  readonly structuredTool: string | undefined;
}

/** Whether a tool is the provider's own, which it has run itself. */
export function runsItself(toolUse: JsonObject): boolean {
  return stringOf(toolUse.type)?.startsWith('server_') ?? false;
}

/** A signed or redacted block of reasoning as the client has to give it back; `undefined` without a signature. */
export function thinkingBlock(reasoningContent: JsonObject): JsonObject | undefined {
  const { reasoningText, redactedContent } = reasoningContent;
  if (stringOf(redactedContent)) return { type: 'redacted_thinking', data: redactedContent };
  const { text, signature } = objectOf(reasoningText);
  return stringOf(signature) ? { type: 'thinking', thinking: stringOf(text) ?? '', signature } : undefined;
}

/** A whole Converse answer in OpenAI's shape. @throws ProxyError `malformed` */
export function decodeConverseResponse(answer: JsonObject, options: ReadOptions): ChatResponse {
  const { structuredTool, memory } = options;
  const spoken = objectOf(answer.output).message;
  if (!isObject(spoken)) throw new ProxyError('malformed', 'Cannot read the answer: it is no message');
  let text: string | null = null;
  let reasoning = '';
  let structured = false;
  const thinking: JsonObject[] = [];
  const calls: ToolCall[] = [];
  for (const block of listOf(spoken.content).filter(isObject)) {
    const words = stringOf(block.text) ?? citedText(block.citationsContent);
    if (words !== undefined) text = (text ?? '') + words;
    if (isObject(block.reasoningContent)) {
      reasoning += stringOf(objectOf(block.reasoningContent.reasoningText).text) ?? '';
      const signed = thinkingBlock(block.reasoningContent);
      if (signed) thinking.push(signed);
    }
    const { toolUse } = block;
    if (!isObject(toolUse) || runsItself(toolUse)) continue;
    const json = jsonTextOf(toolUse.input ?? {});
    if (structuredTool !== undefined && toolUse.name === structuredTool) {
      text = (text ?? '') + json;
      structured = true;
    } else {
      const id = stringOf(toolUse.toolUseId) || `call_${options.newId()}`;
      calls.push({ id, type: 'function', function: { name: stringOf(toolUse.name) ?? '', arguments: json } });
    }
  }
  if (calls[0] && thinking.length > 0) memory.set(calls[0].id, { thinking_blocks: thinking });
  const message: ChatMessage = {
    role: 'assistant',
    content: text,
    refusal: null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(thinking.length > 0 ? { thinking_blocks: thinking } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const finish = finishReason(answer.stopReason, structured && calls.length === 0) ?? null;
  const usage = converseUsage(answer.usage);
  return {
    id: `chatcmpl-${options.newId()}`,
    object: 'chat.completion',
    created: options.created,
    model: options.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** The words of an answer that names its sources. */
function citedText(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  return listOf(value.content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
