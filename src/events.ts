/** Changes of state that are reported to the operator. */

/** The kind of change, by which programs that read the lines as JSON can filter. */
export type EventKind =
  | 'breaker_opened'
  | 'breaker_still_open'
  | 'breaker_closed'
  | 'key_held'
  | 'key_still_held'
  | 'key_back'
  | 'endpoint_held'
  | 'endpoint_still_held'
  | 'endpoint_back'
  | 'rate_limited'
  | 'provider_state';

/** The area of a problem that does not belong to a request. */
export type Trouble = 'request_log' | 'limits' | 'plugin' | 'telemetry' | 'other';

export interface ProxyEvent {
  readonly kind: EventKind;
  readonly level: 'warn' | 'info' | 'debug';
  /** For people, on one line except for stack traces. */
  readonly message: string;
  /** The same for programs. */
  readonly fields?: Readonly<Record<string, string | number>>;
}
