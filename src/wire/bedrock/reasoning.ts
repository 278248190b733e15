import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ConverseModel } from './models.ts';
import type { AnthropicModel } from '../anthropic/models.ts';
import { openEffort, thinkingFor, thinkingOfEffort } from '../anthropic/thinking.ts';
import { entryOf, isObject, numberOf, objectOf } from '../json.ts';

/** The efforts of gpt-oss and Nova 2, by OpenAI's. */
const THREE: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};
const MIN_ANSWER = 1_024;

/** The reasoning settings for `additionalModelRequestFields`. */
export function reasoningFields(
  request: ChatRequest,
  { reasoning, claude }: ConverseModel,
  dropped: string[],
): JsonObject {
  if (reasoning === 'claude') return claudeThinking(request, claude, dropped);
  const { reasoning_effort: effort } = request;
  if (!effort || effort === 'none') return {};
  const word = entryOf(THREE, effort);
  if (reasoning === 'none' || word === undefined) {
    dropped.push('reasoning_effort');
    return {};
  }
  if (reasoning === 'effort') return { reasoning_effort: word };
  return { reasoningConfig: { type: 'enabled', maxReasoningEffort: word } };
}

/** @see https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
function claudeThinking(request: ChatRequest, claude: AnthropicModel, dropped: string[]): JsonObject {
  const { reasoning_effort: effort, thinking, output_config: config } = request;
  const own = objectOf(config).effort;
  const isOwn = isObject(thinking) || own !== undefined;
  if (!isOwn && !effort) return {};
  const { fields, lost } = isOwn
    ? thinkingFor(thinking, own ?? openEffort(thinking, effort), claude)
    : thinkingOfEffort(effort!, claude);
  dropped.push(...lost.map((name) => (name === 'effort' ? 'reasoning_effort' : name)));
  return fields;
}

/**
 * `maxTokens` for a thinking budget, which is part of it and must be smaller.
 * @param thinking a Claude's `thinking`
 */
export function roomFor(
  maxTokens: number | undefined,
  thinking: unknown,
  claude: AnthropicModel,
): number | undefined {
  const budget = isObject(thinking) ? numberOf(thinking.budget_tokens) : undefined;
  if (budget === undefined) return maxTokens;
  const wanted = maxTokens ?? claude.maxTokens;
  return wanted > budget ? wanted : budget + Math.max(MIN_ANSWER, wanted);
}
