/** What Claude models can, as data. First match wins; an unknown model is taken for a new one. */
export interface AnthropicModel {
  /** Sent as `max_tokens` when the client names none; the API insists on it. */
  readonly maxTokens: number;
  /** How reasoning is asked for. */
  readonly thinking: 'adaptive' | 'budget' | 'none';
  /** Whether temperature, top_p and top_k are taken. */
  readonly sampling: boolean;
  /** Whether it takes `output_config.format`. */
  readonly jsonSchema: boolean;
  /** Whether it goes on from a last assistant message; newer ones answer 400. */
  readonly prefill: boolean;
}

const MODELS: readonly (readonly [RegExp, AnthropicModel])[] = [
  [
    /claude-3-haiku/,
    { maxTokens: 4_096, thinking: 'none', sampling: true, jsonSchema: false, prefill: true },
  ],
  [
    /claude-3-[05]|claude-3-(?:opus|sonnet)|claude-2/,
    { maxTokens: 8_192, thinking: 'none', sampling: true, jsonSchema: false, prefill: true },
  ],
  [/claude-3-7/, { maxTokens: 64_000, thinking: 'budget', sampling: true, jsonSchema: false, prefill: true }],
  [
    /claude-opus-4(?:-[01]|-20|@|$)/,
    { maxTokens: 32_000, thinking: 'budget', sampling: true, jsonSchema: false, prefill: true },
  ],
  [
    /claude-sonnet-4(?:-0|-20|@|$)/,
    { maxTokens: 64_000, thinking: 'budget', sampling: true, jsonSchema: false, prefill: true },
  ],
  [
    /claude-(?:opus|sonnet|haiku)-4-5/,
    { maxTokens: 64_000, thinking: 'budget', sampling: true, jsonSchema: true, prefill: true },
  ],
  [
    /claude-(?:opus|sonnet)-4-6/,
    { maxTokens: 128_000, thinking: 'adaptive', sampling: true, jsonSchema: true, prefill: false },
  ],
];

const NEWEST: AnthropicModel = {
  maxTokens: 64_000,
  thinking: 'adaptive',
  sampling: false,
  jsonSchema: true,
  prefill: false,
};

export function anthropicModel(name: string): AnthropicModel {
  return MODELS.find(([pattern]) => pattern.test(name))?.[1] ?? NEWEST;
}
