/** The messages between the page and the proxy. Types only: times are ISO 8601, durations milliseconds, money USD. */

/** What the page needs at the start. */
export interface Session {
  /** Whether the page may be read now; otherwise a key must be entered. */
  readonly open: boolean;
  /** Whether one can sign out. */
  readonly signedIn: boolean;
  /** The name of the key; null if none is needed. */
  readonly key: string | null;
  /** Whether the key may send requests to models. */
  readonly asks: boolean;
  readonly version: string;
  /** Whether requests are logged, so that there is a history. */
  readonly logged: boolean;
  /** Whether content is shown, as far as it is logged. */
  readonly content: boolean;
}

/** A finished request, as lists show it. */
export interface RequestRow {
  readonly ts: string;
  readonly id: string;
  readonly outcome: string;
  readonly status: number;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly model: string;
  readonly provider: string | null;
  readonly upstream_model: string | null;
  readonly finish: string | null;
  readonly fault: string | null;
  readonly attempts: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost: number | null;
  readonly latency_ms: number;
  readonly first_content_ms: number | null;
  readonly key: string | null;
  readonly conversation: string | null;
  readonly user?: string | null | undefined;
  readonly group?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A request in progress. */
export interface RunningRow {
  readonly id: string;
  readonly model: string;
  /** The "provider/model" that is being called, or answers; null before that. */
  readonly target: string | null;
  readonly key: string | null;
  readonly endpoint: string;
  /** How long it has taken so far. */
  readonly ms: number;
  readonly first_content_ms: number | null;
  /** The number of attempts that have ended. */
  readonly attempts: number;
}

/** One event in the stream of live requests. */
export interface LiveEvent {
  readonly records: readonly RequestRow[];
  /** The number of records that the stream left out because it was read too slowly. */
  readonly skipped: number;
  readonly inFlight: number;
  /** The longest-running requests; only in some events, since they change slowly. */
  readonly running?: readonly RunningRow[];
}

export type State = 'healthy' | 'degraded' | 'unhealthy' | 'disabled';

/** A provider as in GET /providers. */
export interface ProviderState {
  readonly name: string;
  readonly type: string;
  readonly state: State;
  readonly reasons: readonly string[];
  readonly in_flight: number;
  readonly keys: { readonly total: number; readonly down: number };
  readonly calls: number;
  readonly success_rate: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly breaker: string;
  readonly last_error: { readonly fault: string; readonly message: string; readonly at: string } | null;
  readonly next_probe: string | null;
  readonly held: readonly HeldState[];
  readonly targets: readonly TargetState[];
}

/** What is on hold, the scope, and when it is tried next. */
export interface HeldState {
  readonly scope: string;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly key: number | null;
  /** The caller whom alone it concerns. */
  readonly only?: string;
  readonly fault: string;
  readonly message: string;
  readonly since: string;
  readonly next_trial: string | null;
  readonly due: boolean;
}

export interface TargetState {
  readonly model: string;
  readonly breaker: string;
  readonly calls: number;
  readonly success_rate: number | null;
  readonly first_content_p95_ms: number | null;
  readonly resting: { readonly fault: string; readonly ms: number } | null;
}

export interface ProvidersAnswer {
  readonly status: State;
  readonly providers: readonly ProviderState[];
  /** Null if requests are not logged. */
  readonly log: {
    readonly state: 'ok' | 'failing';
    readonly since: string | null;
    readonly reason: string | null;
    readonly lost: number;
  } | null;
  readonly workers?: { readonly total: number; readonly missing: readonly number[] };
}

export interface Refusal {
  readonly error: { readonly message: string };
}

/** Requests in the log, newest first. */
export interface RequestsAnswer {
  readonly rows: readonly RequestRow[];
  /** Whether there are no more; otherwise the search ended because it found enough, or took too long. */
  readonly complete: boolean;
  /** Where to continue: answers that ended before this time, milliseconds since 1970. */
  readonly before: number | null;
  /** Files that could not be read. */
  readonly problems: readonly string[];
}

/** A part of a message. */
export type ShownPart =
  | { readonly kind: 'text' | 'thinking' | 'refusal'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly id: string; readonly text: string }
  | { readonly kind: 'result'; readonly id: string; readonly text: string }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'other'; readonly name: string; readonly text: string };

export interface ShownMessage {
  readonly role: string;
  readonly parts: readonly ShownPart[];
}

export interface AttemptRow {
  readonly target: string;
  readonly fault: string | null;
  readonly status: number | null;
  readonly ms: number;
}

/** Feedback on an answer. */
export interface FeedbackRow {
  readonly ts: string;
  /** From -1 to 1. */
  readonly score: number | null;
  /** Good or bad. */
  readonly label: boolean | null;
  readonly comment: string | null;
  /** The correct answer. */
  readonly correction: string | null;
}

/** All of one request except its raw bodies. */
export interface RequestDetail {
  readonly row: RequestRow;
  readonly cached_tokens: number | null;
  readonly reasoning_tokens: number | null;
  /** The additional cost of failed attempts. */
  readonly failed_cost: number | null;
  readonly user_agent: string | null;
  readonly lane: string | null;
  readonly error: string | null;
  readonly attempt_log: readonly AttemptRow[];
  readonly request_bytes: number;
  readonly response_bytes: number;
  /** Notices for the client, such as unsupported fields. */
  readonly notes: readonly string[];
  /** The conversation; null if it is unknown, for the reason in `unsaid`. */
  readonly said: readonly ShownMessage[] | null;
  readonly unsaid: string | null;
  /** Newest first. */
  readonly feedback: readonly FeedbackRow[];
  /** The names of the tools that the model could call. */
  readonly tools: readonly string[];
  /** Whether the bodies were logged. */
  readonly raw: { readonly request: boolean; readonly response: boolean };
}

/** The usage of requests in one bucket of time, or in total. */
export interface Sums {
  readonly requests: number;
  readonly errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
  /** Answers without a known price. */
  readonly unpriced: number;
  /** For complete answers. */
  readonly latency_p50: number | null;
  readonly latency_p95: number | null;
  readonly first_p50: number | null;
  readonly first_p95: number | null;
}

export interface SeriesGroup {
  /** Null for requests without a name; `others` are separate. */
  readonly name: string | null;
  readonly others: boolean;
  readonly total: Sums;
  /** One for each bucket; null if there was nothing. */
  readonly buckets: readonly (Sums | null)[];
}

export interface SeriesAnswer {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
  readonly all: SeriesGroup;
  readonly groups: readonly SeriesGroup[];
  /** Whether the whole period was read; otherwise reading took too long, and the next request continues. */
  readonly complete: boolean;
}

/** What an export would make of the newest records that match a filter. */
export interface PreviewAnswer {
  /** The number of records examined. */
  readonly records: number;
  readonly rows: readonly string[];
  /** Why others are not rows, and how many. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly problem: string | null;
}
