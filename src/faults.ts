/** Everything that can go wrong with a request, and the single table of the consequences. */

/**
 * What a fault is attributed to, smallest first: the request itself; one endpoint of a target; the target, which is a
 * provider and a model; the provider's key; the provider as a whole. Nothing larger than that is put on hold.
 */
export type Scope = 'request' | 'endpoint' | 'target' | 'key' | 'provider';

export interface FaultRule {
  /**
   * Whether to retry the same target: `at_once` without delay and without counting as a retry; `first` before any other
   * target, after a delay; `last` only when no other target is ready; `never`.
   */
  readonly retry: 'at_once' | 'first' | 'last' | 'never';
  /**
   * Whether to try the next target if this one is not retried: `larger` unless its context window is known to be too
   * small as well, `policy` only where the `content_policy` of the route allows it.
   */
  readonly failover: 'yes' | 'no' | 'larger' | 'policy';
  /** The smallest scope that the provider's message, or the kind of failure, supports. */
  readonly blames: Scope;
  /**
   * The consequence for that scope: `failure` counts for a circuit breaker; `down` starts a cooldown at once; `suspect`
   * starts one when several different requests in a row meet the fault; `busy` is a cooldown that does not count as a
   * failure; `none` has no effect.
   */
  readonly health: 'failure' | 'down' | 'suspect' | 'busy' | 'none';
  /** The first cooldown if the provider named no time, milliseconds; 0 for `routing.breaker.cooldown`. */
  readonly cooldownMs: number;
  /** The HTTP status for the client, unless the provider's own status is passed on. */
  readonly status: number;
  /** `error.type` in OpenAI's shape. */
  readonly type: string;
  /** `error.code` in OpenAI's shape. */
  readonly code: string;
  /** What happened, for the documentation. */
  readonly means: string;
}

type Follows = Pick<FaultRule, 'retry' | 'failover' | 'blames' | 'health'> & { cooldownMs?: number };

/** @param answer status, type and code, in this order */
function rule(follows: Follows, answer: string, means: string): FaultRule {
  const [status, type, code] = answer.split(' ') as [string, string, string];
  return { cooldownMs: 0, ...follows, status: Number(status), type, code, means };
}

const again = { retry: 'first', failover: 'yes', blames: 'target', health: 'failure' } as const;
const elsewhere = { ...again, retry: 'never' } as const;
const unreached = { ...elsewhere, blames: 'provider' } as const;
const refusedKey = { ...elsewhere, blames: 'key', health: 'down' } as const;
const refused = { ...elsewhere, blames: 'endpoint', health: 'suspect' } as const;
const lacking = { ...elsewhere, blames: 'endpoint', health: 'down', cooldownMs: 5_000 } as const;
const busy = { ...again, blames: 'key', health: 'busy', cooldownMs: 5_000 } as const;
const harmless = { retry: 'never', failover: 'yes', blames: 'request', health: 'none' } as const;
const ours = { ...harmless, retry: 'at_once' } as const;
const callers = { ...harmless, failover: 'no' } as const;

/** The table of faults. Rows above the line originate from a provider, rows below it from the proxy itself. */
export const FAULTS = {
  rate_limited: rule(
    busy,
    '429 rate_limit_error rate_limit_exceeded',
    'a 429, or an error whose text says the same',
  ),
  overloaded: rule(
    again,
    '503 server_error overloaded',
    '425, 498, 503, 529, or an error whose text says the same',
  ),
  server: rule(
    again,
    '502 server_error upstream_error',
    '3xx, 407, 408, 499, another 5xx, or an error inside a 200',
  ),
  unreachable: rule(
    { ...unreached, retry: 'last' },
    '502 server_error upstream_unreachable',
    'no connection: refused, unknown host, no route, or a TLS failure',
  ),
  network: rule(
    { ...again, retry: 'last' },
    '502 server_error upstream_unreachable',
    'a connection that was reset or closed, or an answer that is not HTTP',
  ),
  stale_connection: rule(
    ours,
    '502 server_error upstream_unreachable',
    'an idle connection was closed while the request was being sent',
  ),
  timeout_connect: rule(unreached, '504 timeout timeout_connect', 'no connection within timeout.connect'),
  timeout_first_byte: rule(
    elsewhere,
    '504 timeout timeout_first_byte',
    'no headers within timeout.first_byte',
  ),
  timeout_first_content: rule(
    elsewhere,
    '504 timeout timeout_first_content',
    'no content within timeout.first_content',
  ),
  timeout_idle: rule(
    elsewhere,
    '504 timeout timeout_idle',
    'no data for timeout.idle in the middle of an answer',
  ),
  timeout_total: rule(
    elsewhere,
    '504 timeout timeout_total',
    'the answer was not complete within timeout.total',
  ),
  timeout_share: rule(
    elsewhere,
    '504 timeout timeout_share',
    'no answer within its share of the deadline, which leaves time for the targets after it',
  ),
  caller_share: rule(
    harmless,
    '504 timeout timeout_share',
    'the same, because the caller’s own deadline is short',
  ),
  truncated: rule(again, '502 server_error truncated', 'a stream that ended before it was complete'),
  malformed: rule(again, '502 server_error malformed_response', 'an answer that cannot be read'),
  failed_generation: rule(
    { ...harmless, retry: 'first' },
    '502 server_error failed_generation',
    'the model failed to produce a valid answer: its finish reason says so, or a tool call is invalid',
  ),
  plugin: rule(
    elsewhere,
    '500 server_error plugin_failed',
    'a plugin threw an error or returned no answer; or a hook threw, or took longer than plugin_timeout',
  ),
  too_long: rule(
    harmless,
    '502 server_error response_too_large',
    'an answer larger than limits.max_response',
  ),
  loop: rule(elsewhere, '508 server_error loop_detected', 'the request came back to this proxy'),
  auth: rule(
    refusedKey,
    '502 server_error provider_auth_failed',
    '401, or an error that mentions the key or the account, except a key that lacks a permission',
  ),
  billing: rule(
    refusedKey,
    '502 insufficient_quota provider_quota_exhausted',
    'insufficient_quota, or an error that mentions the account’s balance',
  ),
  forbidden: rule(
    refused,
    '403 permission_error provider_forbidden',
    'a 403 that mentions neither the key nor the account',
  ),
  unaffordable: rule(
    refused,
    '402 billing_error provider_payment_required',
    'a 402 that does not mention the account’s balance: this request costs too much',
  ),
  not_found: rule(
    lacking,
    '404 invalid_request_error model_not_found',
    'the provider says that it does not have the model',
  ),
  no_endpoint: rule(
    refused,
    '404 invalid_request_error provider_endpoint_not_found',
    'a 404, 405, 410 or 501 that does not mention the model, or a 400 that seems to',
  ),
  declined: rule(
    harmless,
    '400 invalid_request_error declined_by_provider',
    '406, 409, 412, 413, 415, 421, 423, 424, 426, 431, 451, a file or an earlier response that the provider does not have, or a 401, 402 or 403 about a part of the request, such as a file, an image or a tool: another provider may accept what this one does not',
  ),
  context_length: rule(
    { ...callers, failover: 'larger' },
    '400 invalid_request_error context_length_exceeded',
    'the prompt is too long for the model',
  ),
  content_policy: rule(
    { ...callers, failover: 'policy' },
    '400 invalid_request_error content_policy_violation',
    'the provider refuses the content',
  ),
  unsupported: rule(
    harmless,
    '400 invalid_request_error unsupported_by_provider',
    'the provider does not support something in the request (`unsupported: error`, or it cannot be left out)',
  ),
  unredactable: rule(
    harmless,
    '400 invalid_request_error unredactable',
    'the request contains something that cannot be searched for what `redact` hides, such as an image, a form or a reference to something that the provider has stored',
  ),
  redaction_failed: rule(
    harmless,
    '503 server_error redaction_failed',
    'the request could not be searched for what `redact` hides, or not within redact.timeout: it is not sent',
  ),
  prefill_unsupported: rule(
    ours,
    '400 invalid_request_error prefill_unsupported',
    'the model cannot continue a partial answer (resume)',
  ),
  usage_unasked: rule(
    ours,
    '400 invalid_request_error usage_unasked',
    'the server rejects `stream_options`, with which usage was requested (`ask_usage`): the request is repeated without it',
  ),
  schema_refused: rule(
    ours,
    '400 invalid_request_error schema_refused',
    'the provider cannot compile a schema of a translated request, for structured output or a strict tool: the request is repeated once without that guarantee',
  ),
  seals_refused: rule(
    ours,
    '400 invalid_request_error seals_refused',
    'the model rejected the signed or encrypted reasoning sent back to it: the request is repeated once without it',
  ),
  unknown_ending: rule(
    callers,
    '502 server_error unknown_ending',
    'an answer with an unknown finish reason: it is forwarded, but not counted as a success',
  ),
  invalid_request: rule(
    callers,
    '400 invalid_request_error invalid_request',
    '400, 422 or another 4xx: the caller’s mistake',
  ),
  // ---------------------------------------------------------------------------------------------
  client_abort: rule(callers, '499 client_abort client_closed_request', 'the client disconnected'),
  client_stall: rule(
    callers,
    '499 client_abort client_stalled',
    'the client read nothing for limits.client_stall, or read less than others when unread answers together exceeded limits.max_unread',
  ),
  request_timeout: rule(
    callers,
    '408 invalid_request_error request_timeout',
    'the request body took longer than limits.body_timeout',
  ),
  hedge_lost: rule(callers, '499 server_error hedge_lost', 'another target answered first (hedge)'),
  unjoinable: rule(
    callers,
    '502 server_error cannot_resume',
    'a continuation does not match what was already sent (resume)',
  ),
  unauthenticated: rule(
    callers,
    '401 invalid_request_error invalid_api_key',
    'the client’s key is unknown or has expired',
  ),
  not_permitted: rule(
    callers,
    '403 permission_error key_not_permitted',
    'the client’s key may not do this: it is disabled, or its lists or those of its groups do not include the endpoint, the model or the provider',
  ),
  over_limit: rule(
    callers,
    '429 rate_limit_error rate_limit_exceeded',
    'not enough is left of a limit on requests, tokens or concurrent requests (`groups`, `rate_limits`, `limits` of a key)',
  ),
  over_budget: rule(
    callers,
    '429 insufficient_quota insufficient_quota',
    'not enough is left of a budget (`groups`, `rate_limits`, `limits` of a key)',
  ),
  foreign_host: rule(
    callers,
    '403 permission_error host_not_allowed',
    'a Host header that is neither a loopback name nor in `server.hosts`',
  ),
  foreign_origin: rule(
    callers,
    '403 permission_error origin_not_allowed',
    'the request comes from a web page whose origin is not in `server.cors.origins`',
  ),
  previous_not_found: rule(
    callers,
    '400 invalid_request_error previous_response_not_found',
    'no response of this caller is stored under the ID in `previous_response_id`, or an earlier one in the chain is gone',
  ),
  not_stored: rule(
    callers,
    '404 invalid_request_error not_found',
    'no response, conversation or item of this caller is stored under this ID',
  ),
  stateless: rule(
    callers,
    '400 invalid_request_error unsupported_parameter',
    'a field that requires stored responses or prompts, but none are stored (`responses.store`)',
  ),
  unknown_route: rule(callers, '404 invalid_request_error unknown_url', 'there is no such path'),
  method_not_allowed: rule(
    callers,
    '405 invalid_request_error method_not_allowed',
    'the path requires another method',
  ),
  upgrade_required: rule(
    callers,
    '426 invalid_request_error upgrade_required',
    'a plain request to a path that requires a WebSocket',
  ),
  unknown_model: rule(callers, '404 invalid_request_error model_not_found', 'no provider serves the model'),
  too_large: rule(
    callers,
    '413 invalid_request_error request_too_large',
    'a request larger than limits.max_body',
  ),
  over_share: rule(
    callers,
    '429 rate_limit_error too_many_bytes',
    'the requests of one client use more memory than limits.max_buffered_share allows; other clients are still served',
  ),
  unsupported_encoding: rule(
    callers,
    '415 invalid_request_error unsupported_encoding',
    'a request with an unsupported content encoding',
  ),
  deadline: rule(
    callers,
    '504 timeout deadline_exceeded',
    'routing.deadline or the caller’s own deadline has passed',
  ),
  full: rule(
    callers,
    '429 rate_limit_error rate_limit_exceeded',
    'every target has reached a limit: its `rate_limit` or `max_connections`, or one set by the provider',
  ),
  unavailable: rule(
    callers,
    '503 server_error no_target_available',
    'every target is held back, and none is due for a trial',
  ),
  shutting_down: rule(callers, '503 server_error shutting_down', 'the proxy is shutting down'),
  internal: rule(callers, '500 server_error internal_error', 'a bug in this proxy'),
} as const satisfies Record<string, FaultRule>;

export type Fault = keyof typeof FAULTS;
