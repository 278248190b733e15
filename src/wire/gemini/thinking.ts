import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Budget, GeminiModel, ThinkingLevel } from './models.ts';
import { entryOf, numberOf, objectOf } from '../json.ts';

/** The thinking budget for each effort, as at Google's own OpenAI-compatible endpoint; others are left to the model. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};
const DYNAMIC = -1;

/** Lowest first. */
const LEVELS: readonly ThinkingLevel[] = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'];

/** The rank of each effort among the levels. */
const RANKS: Readonly<Record<string, number>> = { none: 0, minimal: 0, low: 1, medium: 2, high: 3 };

/**
 * `thinkingConfig` for the requested effort. An exact budget, as Anthropic's clients may set one, is kept if the model
 * has budgets. Thoughts are requested whenever there is an effort.
 * @returns `undefined` when nothing is requested, or the model has no setting
 */
export function thinkingConfig(request: ChatRequest, { thinking }: GeminiModel): JsonObject | undefined {
  const effort = effortOf(request);
  if (thinking === 'none') return undefined;
  // Anthropic's name for the default behaviour.
  if (effort === undefined) {
    return objectOf(request.thinking).type === 'adaptive' ? { includeThoughts: true } : undefined;
  }
  const shown = effort === 'none' ? {} : { includeThoughts: true };
  if (isLevels(thinking)) return { thinkingLevel: nearest(thinking, entryOf(RANKS, effort) ?? 3), ...shown };
  const requested = numberOf(objectOf(request.thinking).budget_tokens);
  return { thinkingBudget: within(thinking, effort, requested), ...shown };
}

/** The requested effort; `none` if thinking is disabled. */
export function effortOf({ reasoning_effort: effort, thinking }: ChatRequest): string | undefined {
  return objectOf(thinking).type === 'disabled' ? 'none' : effort || undefined;
}

function isLevels(thinking: Budget | readonly ThinkingLevel[]): thinking is readonly ThinkingLevel[] {
  return Array.isArray(thinking);
}

/** The nearest level; of two, the higher one. */
function nearest(levels: readonly ThinkingLevel[], wanted: number): ThinkingLevel {
  const distance = (level: ThinkingLevel) => Math.abs(LEVELS.indexOf(level) - wanted);
  return levels.reduce((best, level) => (distance(level) <= distance(best) ? level : best));
}

function within({ min, max, off }: Budget, effort: string, requested: number | undefined): number {
  if (effort === 'none') return off ? 0 : min;
  const wanted = requested ?? entryOf(BUDGETS, effort);
  return wanted === undefined ? DYNAMIC : Math.min(max, Math.max(min, wanted));
}
