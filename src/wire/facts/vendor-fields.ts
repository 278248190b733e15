/** Fields that vendors add to OpenAI's chat, in requests to providers of other protocols. */
import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ProtocolName } from '../protocol.ts';
import { effortOfBudget } from '../anthropic/thinking.ts';
import { EFFORTS } from './effort.ts';
import { isOwnField } from './own-fields.ts';
import { countOf, entryOf, isObject, stringOf } from '../json.ts';

/** OpenAI's fields and those of the canonical form: encoders that leave one of these out name it. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    'messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens ' +
    'max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key ' +
    'prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream ' +
    'stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options ' +
    'thinking output_config top_k cache_control hosted_tools reasoning'
  ).split(' '),
);

/** Vendors' names for OpenAI's fields: Mistral's seed, and reasoning efforts. */
const SAME: Readonly<Record<string, string>> = { random_seed: 'seed', thinking_effort: 'reasoning_effort' };

/** Fields that switch thinking on and off: DashScope's, vLLM's and SGLang's. */
const SWITCHES = ['enable_thinking', 'include_reasoning'] as const;

/** The effort if thinking is only switched on. */
const PLAIN_EFFORT = 'medium';

/** Changes to the fields of a request: `undefined` removes one. */
type Fields = Record<string, unknown>;

/** Converts vendors' own fields in translated requests; those that the target lacks are named as lost. */
export function fromVendorFields(
  request: ChatRequest,
  target: ProtocolName,
): { fields: Fields; dropped: string[] } {
  const given: JsonObject = request;
  const fields: Fields = {};
  const dropped: string[] = [];
  for (const name of Object.keys(given)) {
    if (KNOWN.has(name) || isOwnField(name, target) || !isGiven(given[name])) continue;
    const same = entryOf(SAME, name);
    if (same !== undefined && !isGiven(given[same])) fields[same] = given[name];
    else dropped.push(name);
  }
  // The default of all models.
  if (isTextAlone(given.modalities)) fields.modalities = undefined;
  Object.assign(fields, thinkingIn(given, dropped));
  return { fields, dropped };
}

/** Vendors' thinking settings as an effort and, if given, a budget. */
function thinkingIn(given: JsonObject, dropped: string[]): Fields {
  const { reasoning, thinking } = given;
  const fields: Fields = {};
  let effort = stringOf(given.reasoning_effort);
  // Groq's name for the default, and other values that OpenAI does not have.
  if (effort !== undefined && !EFFORTS.some((known) => known === effort)) {
    fields.reasoning_effort = undefined;
    dropped.push('reasoning_effort');
    effort = undefined;
  }
  if (isGiven(reasoning)) {
    fields.reasoning = undefined;
    if (!isObject(reasoning)) dropped.push('reasoning');
    else Object.assign(fields, fromReasoning(reasoning, effort, thinking));
  }
  const requested = fields.thinking ?? thinking;
  if (isObject(requested)) Object.assign(fields, fromThinking(requested, effort, dropped));
  if (SWITCHES.some((name) => given[name] === false) && effort === undefined && !isGiven(requested)) {
    return { reasoning_effort: 'none', ...fields };
  }
  return fields;
}

/** OpenRouter's `reasoning`: an effort, a budget, or a boolean. */
function fromReasoning(
  { effort: requested, max_tokens: budget, enabled }: JsonObject,
  effort: string | undefined,
  thinking: unknown,
): Fields {
  if (enabled === false || requested === 'none') return { reasoning_effort: effort ?? 'none' };
  if (stringOf(requested)) return { reasoning_effort: effort ?? requested };
  if (countOf(budget) === undefined) return { reasoning_effort: effort ?? PLAIN_EFFORT };
  return { thinking: thinking ?? { type: 'enabled', budget_tokens: budget } };
}

const TYPES: ReadonlySet<unknown> = new Set(['enabled', 'disabled', 'adaptive']);

/** `thinking` of Anthropic, and of Z.ai, DeepSeek and others: anything that Anthropic does not have is removed. */
function fromThinking(requested: JsonObject, effort: string | undefined, dropped: string[]): Fields {
  const { type, budget_tokens: budget, display, ...foreign } = requested;
  dropped.push(...Object.keys(foreign).map((name) => `thinking.${name}`));
  if (!TYPES.has(type)) {
    if (type !== undefined) dropped.push('thinking');
    return { thinking: undefined };
  }
  if (type !== 'enabled') {
    return { thinking: { type, ...(display === undefined ? {} : { display }) } };
  }
  const tokens = countOf(budget);
  const wished = effort ?? (tokens === undefined ? PLAIN_EFFORT : effortOfBudget(tokens));
  if (tokens === undefined) return { thinking: undefined, reasoning_effort: wished };
  return {
    thinking: { type, budget_tokens: budget, ...(display === undefined ? {} : { display }) },
    reasoning_effort: wished,
  };
}

function isTextAlone(modalities: unknown): boolean {
  return Array.isArray(modalities) && modalities.length === 1 && modalities[0] === 'text';
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
