import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { hasObjectRoot } from '../facts/object-root.ts';
import { withOwnFields } from '../facts/own-fields.ts';
import { entryOf, isObject, numberOf, objectOf, stringOf } from '../json.ts';
import { encodeCohereMessages } from './messages.ts';
import { encodeTools } from './tools.ts';
import { hostedTools, wordFor } from '../parts/hosted-tools.ts';
import { OPENAI_ONLY, requireMessages, given, moreThanOne } from '../requirements.ts';

/** Fields of a chat request without a counterpart. */
const UNSUPPORTED = [
  'top_logprobs',
  ...OPENAI_ONLY,
  'store',
  'verbosity',
  'metadata',
  'user',
  'safety_identifier',
  'service_tier',
] as const;

/** Models that think unless that is disabled. */
const REASONS = /reasoning|command-a-plus/;
/** The thinking budgets; `high` is unlimited. */
const BUDGETS: Readonly<Record<string, number>> = { low: 1_024, medium: 8_192 };

/** Fields that both have, by OpenAI's name: Cohere's name and the accepted range. */
const NUMBERS: readonly (readonly [string, string, number, number])[] = [
  ['temperature', 'temperature', 0, 1],
  ['top_p', 'p', 0.01, 0.99],
  ['top_k', 'k', 0, 500],
  ['frequency_penalty', 'frequency_penalty', 0, 1],
  ['presence_penalty', 'presence_penalty', 0, 1],
  ['seed', 'seed', 0, Number.MAX_SAFE_INTEGER],
];

/**
 * Encodes OpenAI chat as Cohere's v2 chat.
 * @throws ProxyError `invalid_request`, or `unsupported` for what cannot be expressed
 * @see https://docs.cohere.com/reference/chat
 */
export function encodeCohereRequest(
  request: ChatRequest,
  { model, quirks }: Pick<EncodeContext, 'model' | 'quirks'>,
): { body: JsonObject; dropped: string[] } {
  requireMessages(request);
  const dropped: string[] = [...given(request, UNSUPPORTED), ...moreThanOne(request)];
  dropped.push(...hostedTools(request).map(wordFor));
  const reasons = REASONS.test(model);
  const tools = encodeTools(request, dropped);
  const format = responseFormat(request, 'tools' in tools);
  const messages = encodeCohereMessages(request.messages, reasons && quirks.reasoning !== 'left_out');
  const maxTokens = request.max_completion_tokens ?? request.max_tokens;
  const stopSequences = [request.stop ?? []].flat().filter((text) => typeof text === 'string' && text !== '');
  const body: JsonObject = {
    model,
    messages: [...format.system, ...messages],
    stream: request.stream === true,
    ...(typeof maxTokens === 'number' ? { max_tokens: maxTokens } : {}),
    ...numbers(request, dropped),
    ...(stopSequences.length > 0 ? { stop_sequences: stopSequences } : {}),
    ...(request.logprobs === true ? { logprobs: true } : {}),
    ...tools,
    ...format.fields,
    ...thinking(request, reasons, dropped),
  };
  return { body: withOwnFields(body, request, 'cohere'), dropped };
}

/** Within Cohere's limits. A negative penalty asks for the opposite, which it does not have. */
function numbers(request: ChatRequest, dropped: string[]): JsonObject {
  const fields: JsonObject = {};
  for (const [name, theirs, least, most] of NUMBERS) {
    const value = numberOf(request[name]);
    if (value !== undefined && value < 0 && name.endsWith('_penalty')) dropped.push(name);
    else if (value !== undefined) fields[theirs] = Math.min(most, Math.max(least, value));
  }
  return fields;
}

function thinking(
  { reasoning_effort: effort, thinking: requested }: ChatRequest,
  reasons: boolean,
  dropped: string[],
): JsonObject {
  if (!reasons) {
    if (effort && effort !== 'none') dropped.push('reasoning_effort');
    return {};
  }
  if (isObject(requested)) {
    if (requested.type === 'disabled') return { thinking: { type: 'disabled' } };
    const budget = numberOf(requested.budget_tokens) ?? entryOf(BUDGETS, effort);
    return { thinking: { type: 'enabled', ...(budget === undefined ? {} : { token_budget: budget }) } };
  }
  if (!effort) return {};
  if (effort === 'none' || effort === 'minimal') return { thinking: { type: 'disabled' } };
  const budget = entryOf(BUDGETS, effort);
  return { thinking: { type: 'enabled', ...(budget === undefined ? {} : { token_budget: budget }) } };
}

/** Cohere's own response format if it is allowed; it is not beside tools, so that an instruction replaces it. */
function responseFormat(
  { response_format: format }: ChatRequest,
  tools: boolean,
): { fields: JsonObject; system: JsonObject[] } {
  if (format?.type !== 'json_object' && format?.type !== 'json_schema') return { fields: {}, system: [] };
  const schema = format.type === 'json_schema' ? objectOf(format.json_schema).schema : undefined;
  if (!tools && (schema === undefined || hasObjectRoot(schema))) {
    const fields = { type: 'json_object', ...(isObject(schema) ? { json_schema: schema } : {}) };
    return { fields: { response_format: fields }, system: [] };
  }
  const kind = schema === undefined || hasObjectRoot(schema) ? 'object' : 'value';
  const fit = isObject(schema) ? ` It has to fit this schema: ${JSON.stringify(schema)}` : '';
  const content = `Give your answer, once it is complete, as one valid JSON ${kind} and nothing else.${fit}`;
  return { fields: {}, system: [{ role: 'system', content: stringOf(content) }] };
}
