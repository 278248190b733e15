/**
 * Everything that can go wrong with a request, and the one table that says what follows from it.
 * An error stays typed, as a {@link ProxyError}, until the server's edge turns it into the client's protocol.
 */

export interface FaultRule {
  /**
   * Ask the same target again: `first` before any other, after a delay; `last` only when no other target is
   * ready; `never`.
   */
  readonly retry: 'first' | 'last' | 'never';
  /** Ask the next target when this one is not asked again. */
  readonly failover: boolean;
  /**
   * What it says about the target: `failure` counts for its breaker, `down` takes it out until a probe or
   * a reload, `busy` cools it down without blame, `missing` means it lacks this model, `none` says nothing.
   */
  readonly health: 'failure' | 'down' | 'busy' | 'missing' | 'none';
  /** How long the target rests when the provider named no time, milliseconds. */
  readonly cooldownMs: number;
  /** HTTP status for the client, where the provider's own does not serve. */
  readonly status: number;
  /** `error.type` in OpenAI's shape. */
  readonly type: string;
  /** `error.code` in OpenAI's shape. */
  readonly code: string;
}

function rule(
  follows: Pick<FaultRule, 'retry' | 'failover' | 'health'> & { cooldownMs?: number },
  status: number,
  type: string,
  code: string,
): FaultRule {
  return { cooldownMs: 0, ...follows, status, type, code };
}

const again = { retry: 'first', failover: true, health: 'failure' } as const;
const elsewhere = { retry: 'never', failover: true, health: 'failure' } as const;
const down = { retry: 'never', failover: true, health: 'down' } as const;
const callers = { retry: 'never', failover: false, health: 'none' } as const;

/** The rules table. Rows above the line come from a provider, rows below it are our own. */
export const FAULTS = {
  rate_limited: rule(
    { retry: 'last', failover: true, health: 'busy', cooldownMs: 5_000 },
    429,
    'rate_limit_error',
    'rate_limit_exceeded',
  ),
  overloaded: rule(again, 503, 'server_error', 'overloaded'),
  server: rule(again, 502, 'server_error', 'upstream_error'),
  network: rule({ ...again, retry: 'last' }, 502, 'server_error', 'upstream_unreachable'),
  timeout_first_byte: rule(elsewhere, 504, 'timeout', 'timeout_first_byte'),
  timeout_first_content: rule(elsewhere, 504, 'timeout', 'timeout_first_content'),
  timeout_idle: rule(elsewhere, 504, 'timeout', 'timeout_idle'),
  timeout_total: rule(elsewhere, 504, 'timeout', 'timeout_total'),
  truncated: rule(again, 502, 'server_error', 'truncated'),
  malformed: rule(again, 502, 'server_error', 'malformed_response'),
  auth: rule({ ...down, cooldownMs: 60_000 }, 502, 'server_error', 'provider_auth_failed'),
  billing: rule({ ...down, cooldownMs: 300_000 }, 502, 'insufficient_quota', 'provider_quota_exhausted'),
  not_found: rule(
    { retry: 'never', failover: true, health: 'missing', cooldownMs: 60_000 },
    404,
    'invalid_request_error',
    'model_not_found',
  ),
  context_length: rule(
    { retry: 'never', failover: true, health: 'none' },
    400,
    'invalid_request_error',
    'context_length_exceeded',
  ),
  content_policy: rule(callers, 400, 'invalid_request_error', 'content_policy_violation'),
  invalid_request: rule(callers, 400, 'invalid_request_error', 'invalid_request'),
  client_abort: rule(callers, 499, 'client_abort', 'client_closed_request'),
  // ---------------------------------------------------------------------------------------------
  unauthenticated: rule(callers, 401, 'invalid_request_error', 'invalid_api_key'),
  unknown_route: rule(callers, 404, 'invalid_request_error', 'unknown_url'),
  method_not_allowed: rule(callers, 405, 'invalid_request_error', 'method_not_allowed'),
  unknown_model: rule(callers, 404, 'invalid_request_error', 'model_not_found'),
  too_large: rule(callers, 413, 'invalid_request_error', 'request_too_large'),
  unsupported_encoding: rule(callers, 415, 'invalid_request_error', 'unsupported_encoding'),
  too_many_requests: rule(callers, 429, 'rate_limit_error', 'too_many_requests'),
  deadline: rule(callers, 504, 'timeout', 'deadline_exceeded'),
  unavailable: rule(callers, 503, 'server_error', 'no_target_available'),
  shutting_down: rule(callers, 503, 'server_error', 'shutting_down'),
  internal: rule(callers, 500, 'server_error', 'internal_error'),
} as const satisfies Record<string, FaultRule>;

export type Fault = keyof typeof FAULTS;

/** A provider's own error answer, kept so that it can be relayed as it came. */
export interface UpstreamError {
  readonly status: number;
  readonly headers: Headers;
  /** The decoded body, at most 64 KiB of it. */
  readonly body: string;
  /** The provider's own words, taken out of the body. */
  readonly message: string;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
}

export interface ProxyErrorOptions {
  /** `provider/model` the error came from. */
  target?: string;
  /** The request field at fault, as in OpenAI's `error.param`. */
  param?: string;
  /** How long the caller, or the target, should wait, milliseconds. */
  retryAfterMs?: number;
  upstream?: UpstreamError;
  cause?: unknown;
}

/** The one error type. `fault` decides everything else through {@link FAULTS}. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly fault: Fault;
  readonly target: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly upstream: UpstreamError | undefined;

  /** @param message one sentence without secrets: "Cannot <action> <object>: <state>" */
  constructor(fault: Fault, message: string, options: ProxyErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.target = options.target;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.upstream = options.upstream;
  }

  get rule(): FaultRule {
    return FAULTS[this.fault];
  }
}

/** Any thrown value as a {@link ProxyError}; what nobody classified is an internal error. */
export function toProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  return new ProxyError('internal', 'Cannot answer the request: internal error', { cause: thrown });
}
