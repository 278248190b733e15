/** An error answer, with its wording in each protocol. */
export interface ErrorAnswer {
  readonly status: number;
  /** OpenAI's `error.type` and `error.code`. */
  readonly openai: readonly [type: string, code: string | null];
  /** Anthropic's `error.type`. */
  readonly anthropic: string;
  /** Gemini's `error.status`, if it is not the usual one for the HTTP status. */
  readonly gemini?: string;
  readonly message: string;
  /** Anthropic's message, if it differs. */
  readonly anthropicMessage?: string;
}

const INVALID = 'invalid_request_error';

/** Error answers by the names that select them. */
export const ERRORS = {
  '400': {
    status: 400,
    openai: [INVALID, 'invalid_value'],
    anthropic: INVALID,
    message: 'temperature: too hot',
  },
  '400-context': {
    status: 400,
    openai: [INVALID, 'context_length_exceeded'],
    anthropic: INVALID,
    message:
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
    anthropicMessage: 'prompt is too long: 9001 tokens > 8192 maximum',
  },
  '400-policy': {
    status: 400,
    openai: [INVALID, 'content_policy_violation'],
    anthropic: INVALID,
    message: 'Your request was rejected as a result of our safety system: violence',
    anthropicMessage: 'Output blocked by content filtering policy',
  },
  '400-prefill': {
    status: 400,
    openai: [INVALID, null],
    anthropic: INVALID,
    message: 'The last message must be from the user: assistant prefill is not supported by this model.',
    anthropicMessage:
      'This model does not support assistant message prefill. The conversation must end with a user message.',
  },
  '400-whitespace': {
    status: 400,
    openai: [INVALID, null],
    anthropic: INVALID,
    message: 'messages: final assistant content cannot end with trailing whitespace',
  },
  '401': {
    status: 401,
    openai: [INVALID, 'invalid_api_key'],
    anthropic: 'authentication_error',
    message: 'Incorrect API key provided: sk-wr***ng',
    anthropicMessage: 'invalid x-api-key',
  },
  '402': {
    status: 402,
    openai: ['billing_error', null],
    anthropic: 'billing_error',
    message: 'Payment required: please add credits',
  },
  '403': {
    status: 403,
    openai: [INVALID, null],
    anthropic: 'permission_error',
    message: 'Your key may not use this resource',
  },
  '404-model': {
    status: 404,
    openai: [INVALID, 'model_not_found'],
    anthropic: 'not_found_error',
    message: 'The model does not exist or you do not have access to it',
    anthropicMessage: 'model: no such model',
  },
  '408': { status: 408, openai: ['timeout', null], anthropic: 'timeout_error', message: 'Request timed out' },
  '407': {
    status: 407,
    openai: ['error', null],
    anthropic: 'error',
    message: 'Proxy Authentication Required',
  },
  '425': { status: 425, openai: ['error', null], anthropic: 'error', message: 'Too early' },
  '498': {
    status: 498,
    openai: ['error', 'capacity_exceeded'],
    anthropic: 'error',
    message: 'Flex capacity exceeded',
  },
  '499': { status: 499, openai: ['error', null], anthropic: 'error', message: 'Client closed request' },
  '400-limit': {
    status: 400,
    openai: ['rate_limit_error', 'rate_limit_exceeded'],
    anthropic: 'rate_limit_error',
    message: 'Too many requests',
  },
  '500-context': {
    status: 500,
    openai: ['server_error', 'context_length_exceeded'],
    anthropic: 'context_length_exceeded',
    message: 'The prompt is too long',
  },
  '409': { status: 409, openai: [INVALID, null], anthropic: 'conflict_error', message: 'Two edits at once' },
  '413': {
    status: 413,
    openai: [INVALID, 'request_too_large'],
    anthropic: 'request_too_large',
    message: 'Request exceeds the maximum size',
  },
  '422': { status: 422, openai: [INVALID, null], anthropic: INVALID, message: 'messages: field required' },
  '429': {
    status: 429,
    openai: ['rate_limit_error', 'rate_limit_exceeded'],
    anthropic: 'rate_limit_error',
    message: 'Too many requests',
  },
  '429-quota': {
    status: 429,
    openai: ['insufficient_quota', 'insufficient_quota'],
    anthropic: 'billing_error',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  },
  '500': { status: 500, openai: ['server_error', null], anthropic: 'api_error', message: 'Internal error' },
  '502': { status: 502, openai: ['server_error', null], anthropic: 'api_error', message: 'Bad gateway' },
  '503': {
    status: 503,
    openai: ['server_error', 'server_is_overloaded'],
    anthropic: 'overloaded_error',
    message: 'Overloaded',
  },
  '504': { status: 504, openai: ['timeout', null], anthropic: 'timeout_error', message: 'Gateway timeout' },
  '529': {
    status: 529,
    openai: ['server_error', 'server_is_overloaded'],
    anthropic: 'overloaded_error',
    message: 'Overloaded',
  },
} as const satisfies Record<string, ErrorAnswer>;

export type ErrorName = keyof typeof ERRORS;
