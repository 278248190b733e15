import type { Abilities } from '../facts/abilities.ts';
import type { Effort } from '../facts/effort.ts';

/** The abilities of Claude models, as data. */
export interface AnthropicModel {
  /** The `max_tokens` sent when the client sets none; the API requires it. */
  readonly maxTokens: number;
  /**
   * Whether `max_tokens` may be more than the context window has room for; older models answer 400. Such an answer
   * ends with `model_context_window_exceeded`.
   */
  readonly beyondWindow: boolean;
  /** How thinking is requested. */
  readonly thinking: 'adaptive' | 'budget' | 'none';
  /** Whether a token budget is accepted, in addition to or in place of `adaptive`. */
  readonly budgets: boolean;
  /** The values of `output_config.effort`; empty if the field is rejected. */
  readonly efforts: readonly Effort[];
  /** Whether temperature, top_p and top_k are accepted. */
  readonly sampling: boolean;
  /** Whether `output_config.format` is accepted. */
  readonly jsonSchema: boolean;
  /** Whether it continues a trailing assistant message; newer models answer 400. */
  readonly prefill: boolean;
}

export interface AnthropicRow {
  readonly match: RegExp;
  readonly model: AnthropicModel;
  readonly source: string;
}

const MODELS_PAGE = 'https://docs.claude.com/en/docs/about-claude/models/overview';
const EFFORT_PAGE = 'https://platform.claude.com/docs/en/build-with-claude/effort';

const OLD: AnthropicModel = {
  maxTokens: 8_192,
  beyondWindow: false,
  thinking: 'none',
  budgets: false,
  efforts: [],
  sampling: true,
  jsonSchema: false,
  prefill: true,
};
const BUDGETED: AnthropicModel = { ...OLD, maxTokens: 64_000, thinking: 'budget', budgets: true };
const WITH_SCHEMA: AnthropicModel = { ...BUDGETED, beyondWindow: true, jsonSchema: true };

const NEWEST: AnthropicModel = {
  maxTokens: 64_000,
  beyondWindow: true,
  thinking: 'adaptive',
  budgets: false,
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  sampling: false,
  jsonSchema: true,
  prefill: false,
};

/** An unrecognised name: a client that requests thinking in the API's own terms may know more. */
const UNNAMED: AnthropicModel = { ...NEWEST, budgets: true };

/** The first match counts; an unknown Claude model counts as new. */
export const ANTHROPIC_MODELS: readonly AnthropicRow[] = [
  { match: /claude-3-haiku/, model: { ...OLD, maxTokens: 4_096 }, source: MODELS_PAGE },
  { match: /claude-3-[05]|claude-3-(?:opus|sonnet)|claude-2/, model: OLD, source: MODELS_PAGE },
  { match: /claude-3-7/, model: BUDGETED, source: MODELS_PAGE },
  {
    match: /claude-opus-4(?:-[01]|-20|@|$)/,
    model: { ...BUDGETED, maxTokens: 32_000 },
    source: MODELS_PAGE,
  },
  { match: /claude-sonnet-4(?:-0|-20|@|$)/, model: BUDGETED, source: MODELS_PAGE },
  {
    match: /claude-opus-4-5/,
    model: { ...WITH_SCHEMA, efforts: ['low', 'medium', 'high'] },
    source: EFFORT_PAGE,
  },
  { match: /claude-(?:sonnet|haiku)-4-5/, model: WITH_SCHEMA, source: EFFORT_PAGE },
  {
    match: /claude-(?:opus|sonnet)-4-6/,
    model: {
      ...WITH_SCHEMA,
      maxTokens: 128_000,
      thinking: 'adaptive',
      efforts: ['low', 'medium', 'high', 'max'],
      prefill: false,
    },
    source: EFFORT_PAGE,
  },
  { match: /claude/, model: NEWEST, source: EFFORT_PAGE },
];

/** @param abilities further facts, which take precedence */
export function anthropicModel(name: string, abilities: Abilities = {}): AnthropicModel {
  const model = ANTHROPIC_MODELS.find(({ match }) => match.test(name))?.model ?? UNNAMED;
  const { sampling = model.sampling, json_schema: jsonSchema = model.jsonSchema, reasoning } = abilities;
  if (reasoning === false) return { ...model, ...NO_THINKING, sampling, jsonSchema };
  const overrides =
    reasoning && model.thinking === 'none' ? ({ thinking: 'budget', budgets: true } as const) : {};
  return { ...model, ...overrides, sampling, jsonSchema };
}

const NO_THINKING = { thinking: 'none', budgets: false, efforts: [] } as const;
