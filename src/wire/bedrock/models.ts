import { anthropicModel } from '../anthropic/models.ts';

/** What a model on Bedrock takes of Converse, as data. */
export interface ConverseModel {
  /** How reasoning is asked for, if at all. */
  readonly reasoning: 'claude' | 'nova' | 'effort' | 'none';
  /** The most that can be demanded of tools: a tool by its name, any tool, or nothing. */
  readonly demands: 'named' | 'any' | 'none';
  /** Where a prompt may be cached; `prompt` is everywhere but among the tools. */
  readonly caching: 'everywhere' | 'prompt' | 'none';
  /** Whether it takes `outputConfig.textFormat`. */
  readonly jsonSchema: boolean;
  /** Where `top_k` goes. */
  readonly topK: 'top_k' | 'inferenceConfig' | 'none';
  /** Whether its template wants Mistral's ids of calls, and results as JSON. */
  readonly mistral: boolean;
  /** Its own tools, by what others call them. @see https://docs.aws.amazon.com/nova/latest/nova2-userguide/built-in-tools.html */
  readonly hosted: Readonly<Partial<Record<string, string>>>;
}

/** Also what is known of an application's own inference profile, whose name tells no model. */
const UNKNOWN: ConverseModel = {
  reasoning: 'none',
  demands: 'named',
  caching: 'none',
  jsonSchema: false,
  topK: 'none',
  mistral: false,
  hosted: {},
};

const NOVA: ConverseModel = { ...UNKNOWN, caching: 'prompt', topK: 'inferenceConfig' };
const NOVA_TOOLS = { web_search: 'nova_grounding', code_execution: 'nova_code_interpreter' } as const;
const WITH_SCHEMA: ConverseModel = { ...UNKNOWN, jsonSchema: true };
const MISTRAL: ConverseModel = { ...UNKNOWN, demands: 'none', mistral: true };

/**
 * The first match counts.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
const MODELS: readonly (readonly [RegExp, ConverseModel])[] = [
  [/claude-(?:v2|instant)/, { ...UNKNOWN, demands: 'none', topK: 'top_k' }],
  [/nova-2/, { ...NOVA, reasoning: 'nova', hosted: NOVA_TOOLS }],
  [/nova-premier/, { ...NOVA, hosted: { web_search: NOVA_TOOLS.web_search } }],
  [/nova-/, NOVA],
  [/gpt-oss/, { ...WITH_SCHEMA, reasoning: 'effort' }],
  [/mistral\.(?:mistral-large-3|ministral|magistral|voxtral)/, { ...MISTRAL, jsonSchema: true }],
  [/mistral\.(?:mistral-large|pixtral)/, { ...MISTRAL, demands: 'any' }],
  [/mistral\./, MISTRAL],
  [/openai\.|qwen|deepseek\.v3|gemma|minimax|kimi|nemotron/, WITH_SCHEMA],
  [/meta\.|titan|cohere\.|ai21\.|writer\.|deepseek\.r1/, { ...UNKNOWN, demands: 'none' }],
];

/** @param name a model's id, an inference profile (`us.…`, `global.…`) or an ARN that holds one */
export function converseModel(name: string): ConverseModel {
  const known = MODELS.find(([pattern]) => pattern.test(name))?.[1];
  if (known) return known;
  if (!name.includes('claude')) return UNKNOWN;
  return {
    reasoning: 'claude',
    demands: 'named',
    caching: 'everywhere',
    jsonSchema: anthropicModel(name).jsonSchema,
    topK: 'top_k',
    mistral: false,
    hosted: {},
  };
}
