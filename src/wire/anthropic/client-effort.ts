import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { stringOf } from '../json.ts';
import { isStrict } from '../strict-schema.ts';
import { nameAt, numberIn, objectAt, wrong } from './client-check.ts';

/** The effort that corresponds to a budget of up to this many tokens. */
const EFFORTS = [
  [2_048, 'low'],
  [8_192, 'medium'],
  [Infinity, 'high'],
] as const;

/** The smallest budget that the API accepts. */
const MIN_BUDGET = 1_024;

/**
 * Decodes `thinking` and `output_config`: effort and format in OpenAI's terms. The original values are kept beside
 * them, as `thinking` and `output_config.effort`, for targets that support these.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeOutput(body: JsonObject): Partial<ChatRequest> {
  const thinking = present(body, 'thinking') ? objectAt(body, 'thinking', '') : undefined;
  const config = present(body, 'output_config') ? objectAt(body, 'output_config', '') : {};
  const budget = thinking && budgetOf(thinking);
  const effort = present(config, 'effort') ? nameAt(config, 'effort', 'output_config') : undefined;
  const wanted = effort ?? (budget === undefined ? undefined : effortOf(budget));
  const silent = thinking?.type === 'disabled' || wanted === undefined;
  return {
    ...(silent ? {} : { reasoning_effort: wanted }),
    ...(thinking ? { thinking } : {}),
    ...(effort === undefined ? {} : { output_config: { effort } }),
    ...formatOf(body, config),
  };
}

function budgetOf(thinking: JsonObject): number | undefined {
  if (nameAt(thinking, 'type', 'thinking') !== 'enabled') return undefined;
  const rule = { at: 'thinking', min: MIN_BUDGET, whole: true };
  const budget = numberIn(thinking, 'budget_tokens', rule);
  if (budget === undefined) throw wrong('thinking.budget_tokens', 'field required');
  return budget;
}

function effortOf(budget: number): string {
  return EFFORTS.find(([most]) => budget <= most)![1];
}

/** `output_format` was the name of the field in beta. */
function formatOf(body: JsonObject, config: JsonObject): Partial<ChatRequest> {
  const [owner, key, at] = present(config, 'format')
    ? ([config, 'format', 'output_config'] as const)
    : ([body, 'output_format', ''] as const);
  if (!present(owner, key)) return {};
  const format = objectAt(owner, key, at);
  const here = at === '' ? key : `${at}.${key}`;
  if (nameAt(format, 'type', here) !== 'json_schema') throw wrong(`${here}.type`, 'expected "json_schema"');
  const schema = objectAt(format, 'schema', here);
  const strict = isStrict(schema) ? { strict: true } : {};
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, ...strict } } };
}

function present(object: JsonObject, key: string): boolean {
  return object[key] !== undefined && object[key] !== null && stringOf(object[key]) !== '';
}
