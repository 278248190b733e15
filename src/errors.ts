/** The program's only type of error: it stays typed until the server translates it to the client's protocol. */
import type { Fault, FaultRule } from './faults.ts';
import { FAULTS } from './faults.ts';

/** A provider's error response, kept so that it can be relayed unchanged. */
export interface UpstreamError {
  readonly status: number;
  readonly headers: Headers;
  /** The decoded body, truncated to 64 KiB. */
  readonly body: string;
  /** Whether the body is in the client's protocol. */
  readonly verbatim: boolean;
  /** The provider's message, extracted from the body. */
  readonly message: string;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
}

export interface ProxyErrorOptions {
  /** The `provider/model` that the error came from. */
  target?: string;
  /** The name of the invalid request field, as in OpenAI's `error.param`. */
  param?: string;
  /** How long the caller, or the target, should wait, milliseconds. */
  retryAfterMs?: number;
  /** Additional headers for the client. */
  headers?: Readonly<Record<string, string>>;
  /** @internal */
  upstream?: UpstreamError;
  cause?: unknown;
}

/** The only error type. `fault` determines everything else through {@link FAULTS}. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly fault: Fault;
  readonly target: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** @internal */
  readonly upstream: UpstreamError | undefined;

  /** @param message one sentence without secrets: "Cannot <action> <object>: <state>" */
  constructor(fault: Fault, message: string, options: ProxyErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.target = options.target;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.headers = options.headers;
    this.upstream = options.upstream;
  }

  /** @internal */
  get rule(): FaultRule {
    return FAULTS[this.fault];
  }

  /** Whether the provider rejects the configured key, which the operator must fix rather than the caller. @internal */
  get refusesKey(): boolean {
    const { blames, health } = this.rule;
    return blames === 'key' && health === 'down';
  }

  /** A copy of the error with another time to wait, milliseconds. @internal */
  waiting(retryAfterMs: number | undefined): ProxyError {
    if (retryAfterMs === this.retryAfterMs) return this;
    const { fault, message, target, param, headers, upstream, cause } = this;
    return new ProxyError(fault, message, { target, param, headers, upstream, cause, retryAfterMs });
  }

  /** A copy of the error without large fields, for keeping. @internal */
  brief(): ProxyError {
    const { fault, message, target, param, upstream, retryAfterMs } = this;
    const details = upstream && { ...upstream, headers: new Headers(), body: '', verbatim: false };
    return new ProxyError(fault, message, { target, param, upstream: details, retryAfterMs });
  }

  /** A copy of the error with another wording of everything a caller or operator may read. @internal */
  reworded(rewrite: (text: string) => string): ProxyError {
    const { fault, message, target, param, headers, upstream: details, cause, retryAfterMs } = this;
    const upstream = details && {
      ...details,
      body: rewrite(details.body),
      message: rewrite(details.message),
      ...(details.param === undefined ? {} : { param: rewrite(details.param) }),
      ...(details.code === undefined ? {} : { code: rewrite(details.code) }),
      ...(details.type === undefined ? {} : { type: rewrite(details.type) }),
    };
    return new ProxyError(fault, rewrite(message), {
      target,
      param,
      headers,
      upstream,
      cause,
      retryAfterMs,
    });
  }
}

/**
 * The status for the client: the provider's own, unless that blames the wrong side. Clients would take a 407 or a 408 from
 * between the proxy and the provider for their own error, and repeat a request that a 500 says is too long.
 */
export function statusOf(error: ProxyError): number {
  const { upstream, rule } = error;
  if (!upstream || error.refusesKey || rule.status === 429) return rule.status;
  const sameSide = hundredsOf(upstream.status) === hundredsOf(rule.status);
  return sameSide ? upstream.status : rule.status;
}

function hundredsOf(status: number): number {
  return Math.floor(status / 100);
}

/** Converts a thrown value to a {@link ProxyError}; values of any other type are internal errors. */
export function toProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  return new ProxyError('internal', 'Cannot answer the request: internal error', { cause: thrown });
}
