import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ConverseModel } from './models.ts';
import { anthropicModel } from '../anthropic/models.ts';
import { entryOf, isObject, numberOf } from '../json.ts';

/** How many tokens a Claude that takes a budget may think. */
const BUDGETS: Readonly<Record<string, number>> = {
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_000,
  max: 32_000,
};
/** What gpt-oss and Nova 2 know, by OpenAI's words. */
const THREE: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};
const MIN_ANSWER = 1_024;

/** What asks a model to reason, for `additionalModelRequestFields`. */
export function reasoningFields(
  { reasoning_effort: effort, thinking }: ChatRequest,
  { reasoning }: ConverseModel,
  model: string,
  dropped: string[],
): JsonObject {
  if (reasoning === 'claude') return claudeThinking(effort, thinking, model);
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
function claudeThinking(effort: string | null | undefined, thinking: unknown, model: string): JsonObject {
  const { thinking: kind } = anthropicModel(model);
  const asked = effort && effort !== 'none' && effort !== 'minimal' ? effort : undefined;
  const adaptive = asked === undefined ? {} : { output_config: { effort: asked } };
  if (isObject(thinking)) return { thinking, ...(thinking.type === 'adaptive' ? adaptive : {}) };
  if (kind === 'none' || asked === undefined) return {};
  if (kind === 'adaptive') return { thinking: { type: 'adaptive' }, ...adaptive };
  return { thinking: { type: 'enabled', budget_tokens: BUDGETS[asked] ?? BUDGETS.medium } };
}

/**
 * `maxTokens` beside a budget for thinking, which is a part of it that it must exceed.
 * @param thinking a Claude's `thinking`
 */
export function roomFor(maxTokens: number | undefined, thinking: unknown, model: string): number | undefined {
  const budget = isObject(thinking) ? numberOf(thinking.budget_tokens) : undefined;
  if (budget === undefined) return maxTokens;
  const asked = maxTokens ?? anthropicModel(model).maxTokens;
  return asked > budget ? asked : budget + Math.max(MIN_ANSWER, asked);
}
