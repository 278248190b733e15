/** Fields of vendors of OpenAI's chat that OpenAI lacks, in requests to providers of other protocols. */
import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { EFFORTS } from './effort.ts';
import { countOf, isObject, stringOf } from '../json.ts';

/** Those without a counterpart elsewhere. What is OpenAI's own is named by whoever leaves it out. */
const UNKNOWN_ELSEWHERE = [
  // OpenRouter. https://openrouter.ai/docs/api-reference/chat-completion
  'provider',
  'models',
  'route',
  'transforms',
  'plugins',
  'include_reasoning',
  'top_a',
  'min_p',
  'repetition_penalty',
  // Groq. https://console.groq.com/docs/reasoning
  'reasoning_format',
  // vLLM, SGLang and their like.
  'chat_template_kwargs',
  'enable_thinking',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'structured_outputs',
  // Mistral, xAI.
  'safe_prompt',
  'prompt_mode',
  'search_parameters',
] as const;

/** How hard a model thinks where it is only told that it should. */
const PLAIN_EFFORT = 'medium';

/** What a request says in vendors' own fields, in those that are translated; and the fields that are lost. */
export function fromVendorFields(request: ChatRequest): { fields: JsonObject; dropped: string[] } {
  const { reasoning, thinking, reasoning_effort: effort } = request as unknown as JsonObject;
  const dropped: string[] = UNKNOWN_ELSEWHERE.filter((name) =>
    isGiven((request as unknown as JsonObject)[name]),
  );
  const fields: JsonObject = {};
  // Groq's word for what a model does anyway, and whatever else is none of OpenAI's.
  if (isGiven(effort) && !EFFORTS.some((known) => known === effort)) {
    fields.reasoning_effort = undefined;
    dropped.push('reasoning_effort');
  }
  if (isObject(thinking) && thinking.type === 'enabled' && thinking.budget_tokens === undefined) {
    fields.thinking = undefined;
    fields.reasoning_effort = effort ?? PLAIN_EFFORT;
  }
  if (!isObject(reasoning))
    return { fields, dropped: isGiven(reasoning) ? [...dropped, 'reasoning'] : dropped };
  const { effort: asked, max_tokens: budget, enabled } = reasoning;
  const isOff = enabled === false || asked === 'none';
  if (stringOf(asked)) fields.reasoning_effort = effort ?? asked;
  else if (countOf(budget)) fields.thinking = thinking ?? { type: 'enabled', budget_tokens: budget };
  else if (!isOff) fields.reasoning_effort = effort ?? PLAIN_EFFORT;
  return { fields: { ...fields, reasoning: undefined }, dropped };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
