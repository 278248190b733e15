import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { finishReason } from '../endings.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { answerOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { tiersOf } from '../reported-tiers.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { sumOf, tokenCount, unitsOf } from '../units.ts';
import { guardrailUnits } from './guardrails.ts';
import { readBlocks } from './parts.ts';

/** The usage in an answer, or in an event of a stream, normalised: its `inputTokens` excludes cached tokens. */
export function converseUsage(answer: JsonObject): Usage | undefined {
  const { usage: value, serviceTier, performanceConfig, trace } = answer;
  if (!isObject(value)) return undefined;
  const input = tokenCount(value.inputTokens);
  const output = tokenCount(value.outputTokens);
  if (input === undefined && output === undefined) return undefined;
  const cached = tokenCount(value.cacheReadInputTokens) ?? 0;
  const cacheWrite = tokenCount(value.cacheWriteInputTokens) ?? 0;
  const all = sumOf(input ?? 0, cached, cacheWrite);
  const tiers = tiersOf(objectOf(serviceTier).type, objectOf(performanceConfig).latency);
  const cacheWrite1h = Math.min(hourlyWrites(value.cacheDetails), cacheWrite);
  return {
    input: all,
    cached,
    cacheWrite,
    output: output ?? 0,
    reasoning: 0,
    ...unitsOf({ cacheWrite1h }),
    ...guardrailUnits(trace),
    ...tiers,
  };
}

/** The tokens written to a prompt cache for an hour. */
function hourlyWrites(details: unknown): number {
  const some = listOf(details)
    .map(objectOf)
    .filter(({ ttl }) => ttl === '1h');
  return sumOf(...some.map(({ inputTokens }) => tokenCount(inputTokens) ?? 0));
}

export interface ReadOptions extends Pick<EncodeContext, 'model' | 'created' | 'newId'> {
  readonly structuredTool: string | undefined;
}

/** Decodes a whole Converse answer. @throws ProxyError `malformed` */
export function decodeConverseResponse(answer: JsonObject, options: ReadOptions): ChatResponse {
  const { structuredTool } = options;
  const answered = objectOf(answer.output).message;
  if (!isObject(answered)) throw new ProxyError('malformed', 'Cannot read the answer: it is not a message');
  const list = new PartList();
  const structured = readBlocks(answered.content, list, { structuredTool, newId: options.newId });
  const message = answerOf(list.parts);
  const finish = finishReason(
    'converse',
    answer.stopReason,
    structured && !message.tool_calls && 'structured',
  );
  const usage = converseUsage(answer);
  return {
    id: `chatcmpl-${options.newId()}`,
    object: 'chat.completion',
    created: options.created,
    model: options.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}
