/** Which fields of a request ask for anything: others are left out without being named. */
import { isObject, objectOf } from '../json.ts';

/** Fields of chat with the value that every model has by default. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  n: 1,
  logprobs: false,
  presence_penalty: 0,
  frequency_penalty: 0,
  parallel_tool_calls: true,
  store: false,
  reasoning_effort: 'none',
};

/**
 * Whether leaving a field out changes the answer. Clients that write every field of their schema send nulls, empty
 * lists and defaults, which would otherwise keep a request from targets without the field.
 * @param name in chat's words
 */
export function asksForMore(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  // It asks for a search even without options.
  if (name === 'web_search_options') return true;
  if (isObject(value) && Object.keys(value).length === 0) return false;
  if (name === 'thinking') return objectOf(value).type !== 'disabled';
  return !Object.hasOwn(DEFAULTS, name) || DEFAULTS[name] !== value;
}
