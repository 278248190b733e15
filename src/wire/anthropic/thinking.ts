/** The thinking settings for Claude models. */
import type { JsonObject } from '../json.ts';
import type { AnthropicModel } from './models.ts';
import { effortFor } from '../facts/effort.ts';
import { entryOf, isObject, numberOf, objectOf, stringOf } from '../json.ts';

/** The budget for each effort, tokens, for models that have budgets. */
export const BUDGETS: Readonly<Record<string, number>> = {
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_000,
  max: 32_000,
};
const PLAIN_BUDGET = 8_192;

/** The smallest budget. @see https://docs.claude.com/en/docs/build-with-claude/extended-thinking */
export const MIN_BUDGET = 1_024;

/** The effort that corresponds to a budget of up to this many tokens. */
const EFFORTS_OF = [
  [2_048, 'low'],
  [12_288, 'medium'],
  [28_000, 'high'],
  [Infinity, 'max'],
] as const;

/** Efforts that are rejected when thinking is disabled. @see https://platform.claude.com/docs/en/build-with-claude/effort */
const THINKING_EFFORTS: ReadonlySet<unknown> = new Set(['xhigh', 'max']);

export interface Thinking {
  /** `thinking` and `output_config`, if needed. */
  readonly fields: { thinking?: JsonObject; output_config?: { effort: unknown } };
  /** What the model does not support: `thinking`, `effort`. */
  readonly lost: readonly ('thinking' | 'effort')[];
}

/** An effort in OpenAI's terms together with thinking that leaves it open; a budget determines it itself. */
export function openEffort(thinking: unknown, effort: unknown): unknown {
  return objectOf(thinking).type === 'adaptive' ? effort : undefined;
}

/** The effort that corresponds to a budget. */
export function effortOfBudget(budget: number): string {
  return EFFORTS_OF.find(([most]) => budget <= most)![1];
}

/**
 * Converts settings in the API's own terms to those that a model accepts: a budget if it has budgets, otherwise an
 * effort.
 * @param effort of `output_config`
 */
export function thinkingFor(thinking: unknown, effort: unknown, model: AnthropicModel): Thinking {
  const requested = isObject(thinking) ? thinking : undefined;
  const type = requested?.type;
  const word = stringOf(effort);
  if (model.thinking === 'none') {
    const lost = [
      ...(requested && type !== 'disabled' ? ['thinking' as const] : []),
      ...(word ? ['effort' as const] : []),
    ];
    return { fields: {}, lost };
  }
  if (type === 'enabled' || type === 'adaptive') {
    const budgeted = model.budgets && (type === 'enabled' || model.thinking === 'budget');
    if (budgeted) return withBudget(requested!, word, model);
    const budget = numberOf(requested!.budget_tokens);
    const { budget_tokens: _, ...others } = requested!;
    const wished = word ?? (budget === undefined ? undefined : effortOfBudget(budget));
    return { fields: { thinking: { ...others, type: 'adaptive' }, ...effortField(wished, model) }, lost: [] };
  }
  const calm = type === 'disabled' && !model.budgets && THINKING_EFFORTS.has(word) ? 'high' : word;
  const field = effortField(calm, model);
  const lost = word !== undefined && field.output_config === undefined ? ['effort' as const] : [];
  return { fields: { ...(requested ? { thinking: requested } : {}), ...field }, lost };
}

/** An effort in OpenAI's terms, if the request has no settings of Anthropic's. */
export function thinkingOfEffort(effort: string, model: AnthropicModel): Thinking {
  if (effort === 'none' || effort === 'minimal') return { fields: {}, lost: [] };
  if (model.thinking === 'none') return { fields: {}, lost: ['effort'] };
  if (model.thinking === 'adaptive') return thinkingFor({ type: 'adaptive' }, effort, model);
  const budget = entryOf(BUDGETS, effort) ?? PLAIN_BUDGET;
  return { fields: { thinking: { type: 'enabled', budget_tokens: budget } }, lost: [] };
}

function withBudget(requested: JsonObject, effort: string | undefined, model: AnthropicModel): Thinking {
  const given = numberOf(requested.budget_tokens);
  const wished = given ?? entryOf(BUDGETS, effort ?? '') ?? PLAIN_BUDGET;
  const thinking = { ...requested, type: 'enabled', budget_tokens: Math.max(MIN_BUDGET, wished) };
  return { fields: { thinking, ...effortField(effort, model) }, lost: [] };
}

function effortField(effort: string | undefined, { efforts }: AnthropicModel): Thinking['fields'] {
  if (effort === undefined || efforts.length === 0) return {};
  const taken = effortFor(effort, efforts);
  return efforts.some((each) => each === taken) ? { output_config: { effort: taken } } : {};
}
