/** Changes of state that whoever runs the proxy is told of. */

/** What changed. Programs that read the lines as JSON tell them apart by this. */
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

/** What a trouble is of that is nobody's request. */
export type Trouble = 'request_log' | 'limits' | 'plugin' | 'telemetry' | 'other';

export interface ProxyEvent {
  readonly kind: EventKind;
  readonly level: 'warn' | 'info' | 'debug';
  /** For people, on one line but for stacks. */
  readonly message: string;
  /** The same for programs. */
  readonly fields?: Readonly<Record<string, string | number>>;
}
