/**
 * The fields of a record of a plain chat: those that are read, and those that say nothing about a row and so may have
 * any value. A line with another field is read in the usual way, unless there is nothing in it.
 */
import { JsonKeys } from '../../logs/json-keys.ts';

export const LINE_KEYS = new JsonKeys([
  'request',
  'response',
  'trace_id',
  'overhead_ms',
  'request_bytes',
  'response_bytes',
  'user_agent',
  'error',
  'attempt_log',
  'passed',
  'malformed',
  'content',
]);
export const REQUEST_KEYS = new JsonKeys([
  'messages',
  'user',
  'safety_identifier',
  'metadata',
  'model',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'service_tier',
  'store',
]);
export const RESPONSE_KEYS = new JsonKeys([
  'choices',
  'id',
  'object',
  'created',
  'model',
  'usage',
  'system_fingerprint',
  'service_tier',
]);
export const CHOICE_KEYS = new JsonKeys(['message', 'index', 'finish_reason', 'logprobs']);
export const MESSAGE_KEYS = new JsonKeys(['role', 'content']);
/** The end user, where the head does not name one. */
export const OWNER_KEYS: ReadonlySet<string | undefined> = new Set(['user', 'safety_identifier', 'metadata']);

export const ROLES = new JsonKeys(['system', 'developer', 'user', 'assistant']);
