/** What the page and the proxy tell each other. Types alone: times are ISO 8601, spans milliseconds, money USD. */
/** What the page needs to begin. */
export interface Session {
  /** Whether the page may be read now; otherwise a key is to be entered. */
  readonly open: boolean;
  /** Whether there is something to sign out of. */
  readonly signedIn: boolean;
  /** The name of the key; null where none is needed. */
  readonly key: string | null;
  /** Whether the key may ask models. */
  readonly asks: boolean;
  readonly version: string;
  /** Whether requests are logged, so that there is a history. */
  readonly logged: boolean;
  /** Whether what people and models wrote is shown, as far as it is logged. */
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

/** A request whose answer has not ended. */
export interface RunningRow {
  readonly id: string;
  readonly model: string;
  /** "provider/model" that is asked now, or answers; null before that. */
  readonly target: string | null;
  readonly key: string | null;
  readonly endpoint: string;
  /** How long it has taken so far. */
  readonly ms: number;
  readonly first_content_ms: number | null;
  /** Attempts that have ended. */
  readonly attempts: number;
}

/** One event of the stream of live requests. */
export interface LiveEvent {
  readonly records: readonly RequestRow[];
  /** Records that the stream left out because they came faster than they were taken. */
  readonly skipped: number;
  readonly inFlight: number;
  /** Those that have taken longest; only in some events, as they change slowly. */
  readonly running?: readonly RunningRow[];
}

export type State = 'healthy' | 'degraded' | 'unhealthy' | 'disabled';

/** A provider as GET /providers shows it. */
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

/** What is held back, whom that blames, and when a request tries it next. */
export interface HeldState {
  readonly scope: string;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly key: number | null;
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
  /** Null where no request is logged. */
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

/** Requests of the log, the newest first. */
export interface RequestsAnswer {
  readonly rows: readonly RequestRow[];
  /** Whether there are no more; otherwise the search ended because there were enough, or because it took long. */
  readonly complete: boolean;
  /** Where to go on: answers that ended before this moment, milliseconds since 1970. */
  readonly before: number | null;
  /** Files that could not be read. */
  readonly problems: readonly string[];
}

/** A part of what was said. */
export type SaidPart =
  | { readonly kind: 'text' | 'thinking' | 'refusal'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly id: string; readonly text: string }
  | { readonly kind: 'result'; readonly id: string; readonly text: string }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'other'; readonly name: string; readonly text: string };

export interface Said {
  readonly role: string;
  readonly parts: readonly SaidPart[];
}

export interface AttemptRow {
  readonly target: string;
  readonly fault: string | null;
  readonly status: number | null;
  readonly ms: number;
}

/** What somebody said of an answer later. */
export interface FeedbackRow {
  readonly ts: string;
  /** From -1 to 1. */
  readonly score: number | null;
  /** Good or bad. */
  readonly label: boolean | null;
  readonly comment: string | null;
  /** What the answer should have been. */
  readonly correction: string | null;
}

/** All of one request but its raw bodies. */
export interface RequestDetail {
  readonly row: RequestRow;
  readonly cached_tokens: number | null;
  readonly reasoning_tokens: number | null;
  /** What attempts that failed have cost besides. */
  readonly failed_cost: number | null;
  readonly user_agent: string | null;
  readonly lane: string | null;
  readonly error: string | null;
  readonly attempt_log: readonly AttemptRow[];
  readonly request_bytes: number;
  readonly response_bytes: number;
  /** What was told to the client about what it did not get, and the like. */
  readonly notes: readonly string[];
  /** What was said; null where it is not known, and `unsaid` tells why. */
  readonly said: readonly Said[] | null;
  readonly unsaid: string | null;
  /** The newest first. */
  readonly feedback: readonly FeedbackRow[];
  /** Names of the tools that the model could call. */
  readonly tools: readonly string[];
  /** Whether the log has the bodies. */
  readonly raw: { readonly request: boolean; readonly response: boolean };
}

/** What requests used in one bucket of time, or all together. */
export interface Sums {
  readonly requests: number;
  readonly errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
  /** Answers without a known price. */
  readonly unpriced: number;
  /** Of complete answers. */
  readonly latency_p50: number | null;
  readonly latency_p95: number | null;
  readonly first_p50: number | null;
  readonly first_p95: number | null;
}

export interface SeriesGroup {
  /** Null for what has no name, `others` apart. */
  readonly name: string | null;
  readonly others: boolean;
  readonly total: Sums;
  /** One for each bucket; null where nothing happened. */
  readonly buckets: readonly (Sums | null)[];
}

export interface SeriesAnswer {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
  readonly all: SeriesGroup;
  readonly groups: readonly SeriesGroup[];
  /** Whether the whole span was read; otherwise reading took too long, and the next question goes on. */
  readonly complete: boolean;
}

/** What an export would make of the newest records that fulfil a filter. */
export interface PreviewAnswer {
  /** Records that were looked at. */
  readonly records: number;
  readonly rows: readonly string[];
  /** Why others are no rows, and how many. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly problem: string | null;
}
