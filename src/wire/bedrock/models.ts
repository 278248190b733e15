import type { AnthropicModel } from '../anthropic/models.ts';
import type { Abilities } from '../facts/abilities.ts';
import { anthropicModel } from '../anthropic/models.ts';

/** What a model on Bedrock supports, as data. */
export interface ConverseModel {
  /** How reasoning is requested, if at all. */
  readonly reasoning: 'claude' | 'nova' | 'effort' | 'none';
  /** The strictest tool choice that is supported: a named tool, any tool, or none. */
  readonly demands: 'named' | 'any' | 'none';
  /** Where cache marks are allowed; `prompt` is everywhere except among the tools. */
  readonly caching: 'everywhere' | 'prompt' | 'none';
  /** Whether it supports `outputConfig.textFormat`. */
  readonly jsonSchema: boolean;
  /** The field for `top_k`. */
  readonly topK: 'top_k' | 'inferenceConfig' | 'none';
  /** Whether its template requires call ids in Mistral's form, and results as JSON. */
  readonly mistral: boolean;
  /** Its own tools, by their names in other APIs. */
  readonly hosted: Readonly<Partial<Record<string, string>>>;
  /** Whether temperature, top_p and top_k are accepted. */
  readonly sampling: boolean;
  /** Its facts as a Claude model; meaningless for others. */
  readonly claude: AnthropicModel;
}

export interface ConverseRow {
  readonly match: RegExp;
  readonly model: ConverseModel;
  readonly source: string;
}

/** Also used for an application's own inference profile, whose name does not contain the model. */
const UNKNOWN: ConverseModel = {
  reasoning: 'none',
  demands: 'named',
  caching: 'none',
  jsonSchema: false,
  topK: 'none',
  mistral: false,
  hosted: {},
  sampling: true,
  claude: anthropicModel('claude-2'),
};

const NOVA: ConverseModel = { ...UNKNOWN, caching: 'prompt', topK: 'inferenceConfig' };
const NOVA_TOOLS = { web_search: 'nova_grounding', code_execution: 'nova_code_interpreter' } as const;
const WITH_SCHEMA: ConverseModel = { ...UNKNOWN, jsonSchema: true };
const MISTRAL: ConverseModel = { ...UNKNOWN, demands: 'none', mistral: true };

const FEATURES =
  'https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html';
const STRUCTURED = 'https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html';
const NOVA_PAGE = 'https://docs.aws.amazon.com/nova/latest/nova2-userguide/built-in-tools.html';

/** The first match counts. The facts about Claude models are those of Anthropic's own table. */
export const CONVERSE_MODELS: readonly ConverseRow[] = [
  { match: /claude-(?:v2|instant)/, model: { ...UNKNOWN, demands: 'none', topK: 'top_k' }, source: FEATURES },
  { match: /nova-2/, model: { ...NOVA, reasoning: 'nova', hosted: NOVA_TOOLS }, source: NOVA_PAGE },
  {
    match: /nova-premier/,
    model: { ...NOVA, hosted: { web_search: NOVA_TOOLS.web_search } },
    source: NOVA_PAGE,
  },
  { match: /nova-/, model: NOVA, source: FEATURES },
  { match: /gpt-oss/, model: { ...WITH_SCHEMA, reasoning: 'effort' }, source: STRUCTURED },
  {
    match: /mistral\.(?:mistral-large-3|ministral|magistral|voxtral)/,
    model: { ...MISTRAL, jsonSchema: true },
    source: STRUCTURED,
  },
  { match: /mistral\.(?:mistral-large|pixtral)/, model: { ...MISTRAL, demands: 'any' }, source: FEATURES },
  { match: /mistral\./, model: MISTRAL, source: FEATURES },
  {
    match: /openai\.|qwen|deepseek\.v3|gemma|minimax|kimi|nemotron/,
    model: WITH_SCHEMA,
    source: STRUCTURED,
  },
  {
    match: /meta\.|titan|cohere\.|ai21\.|writer\.|deepseek\.r1/,
    model: { ...UNKNOWN, demands: 'none' },
    source: FEATURES,
  },
];

/**
 * @param name a model's id, an inference profile (`us.…`, `global.…`) or an ARN that contains one
 * @param abilities further facts, which take precedence
 */
export function converseModel(name: string, abilities: Abilities = {}): ConverseModel {
  const row = CONVERSE_MODELS.find(({ match }) => match.test(name));
  const known = row?.model ?? (name.includes('claude') ? claudeModel(name, abilities) : UNKNOWN);
  const { json_schema: jsonSchema = known.jsonSchema, reasoning, sampling = known.sampling } = abilities;
  const reasons = known.reasoning === 'none' ? 'effort' : known.reasoning;
  return {
    ...known,
    jsonSchema,
    sampling,
    reasoning: reasoning === undefined ? known.reasoning : reasoning ? reasons : 'none',
  };
}

function claudeModel(name: string, abilities: Abilities): ConverseModel {
  const claude = anthropicModel(name, abilities);
  return {
    ...UNKNOWN,
    reasoning: 'claude',
    caching: 'everywhere',
    jsonSchema: claude.jsonSchema,
    topK: 'top_k',
    sampling: claude.sampling,
    claude,
  };
}
