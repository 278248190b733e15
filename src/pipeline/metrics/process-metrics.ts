import type { SharedState } from '../../limits/replicas/replica-ledger.ts';
import type { Family, Sample } from './prometheus.ts';
import { counter, family } from './prometheus.ts';

/** The sources of metrics about the process, read when metrics are requested. */
export interface ProcessSources {
  readonly inFlight: () => number;
  /** The number of open realtime sessions. */
  readonly sessions: () => number;
  /** Request bodies in memory, bytes. */
  readonly buffered: () => number;
  /** The estimated number of bytes held for slow clients. */
  readonly unread: () => number;
  /** Bytes of answers in progress that are assembled for records. */
  readonly recording: () => number;
  readonly log: () => { written: number; dropped: number; pending: number };
  /** How often each sink of records has thrown. */
  readonly sinkErrors: () => ReadonlyMap<string, number>;
  /** The number of records that plugins missed because they were too slow. */
  readonly pluginRecordsDropped: () => number;
  /** The number of responses that could not be stored. */
  readonly responsesDropped: () => number;
  /** The number of background responses, running or queued. */
  readonly backgroundJobs: () => number;
  /** The number of spans that a trace collector did not receive. */
  readonly spansDropped: () => number;
  readonly version: string;
  /** How often limits refused a request, or interrupted an answer. */
  readonly refusals: () => readonly {
    readonly limit: string;
    readonly kind: string;
    readonly count: number;
  }[];
  /** The decisions on requests with limits, and their numbers. */
  readonly decisions: () => Readonly<Record<string, number>>;
  /** The usage of limits that several callers share. */
  readonly limits: () => readonly LimitUse[];
  /** The state of the server that shares limits; `undefined` if there is none. */
  readonly sharedLimits: () => SharedState | undefined;
  /** How the server is by which stored responses are shared; `undefined` where there is none. */
  readonly sharedResponses: () => Pick<SharedState, 'up' | 'failures'> | undefined;
  /** Resident memory, bytes. */
  readonly memory: () => number;
}

/** How much of a limit is used and reserved. */
interface LimitUse {
  readonly limit: { readonly name: string; readonly kind: string; readonly most: number };
  readonly taken: number;
}

/** The number of limits with a series of their own. */
const MAX_LIMITS = 200;

/** What the process holds, has lost and has refused. */
export function processFamilies(sources: ProcessSources): Family[] {
  const { inFlight, sessions, buffered, unread, recording, log, sinkErrors, refusals, limits, memory } =
    sources;
  const { pluginRecordsDropped, responsesDropped, backgroundJobs, spansDropped, decisions, version } =
    sources;
  const { written, dropped, pending } = log();
  const gauge = (name: string, help: string, value: number) =>
    family('gauge', name, help, [{ labels: {}, value }]);
  return [
    {
      ...family('gauge', 'build_info', 'The version of this program', [{ labels: { version }, value: 1 }]),
      aggregator: 'largest' as const,
    },
    gauge('in_flight', 'Requests in flight', inFlight()),
    gauge('realtime_sessions', 'Realtime sessions that are open', sessions()),
    gauge('background_responses', 'Responses that run in the background, or wait for that', backgroundJobs()),
    gauge('buffered_bytes', 'Bytes of request bodies in memory', buffered()),
    gauge('unread_bytes', 'Bytes of streams held for clients that read slowly, estimated', unread()),
    gauge('recording_bytes', 'Bytes of streams assembled for their records', recording()),
    gauge('log_records_written', 'Records in the request log since the start', written),
    gauge('log_records_lost', 'Records that could not be written since the start', dropped),
    gauge('log_pending_bytes', 'Bytes waiting to be written', pending),
    counter(
      'sink_errors_total',
      'Records that a sink failed to accept, by sink',
      [...sinkErrors()].map(([sink, value]) => ({ labels: { sink }, value })),
    ),
    counter('records_dropped_total', 'Records that were lost, by destination', [
      { labels: { sink: 'log' }, value: dropped },
      { labels: { sink: 'plugins' }, value: pluginRecordsDropped() },
      { labels: { sink: 'telemetry' }, value: spansDropped() },
      { labels: { sink: 'responses' }, value: responsesDropped() },
    ]),
    counter(
      'limit_decisions_total',
      'Requests to which limits apply: admitted, refused, or answered by another model (replaced)',
      Object.entries(decisions()).map(([decision, value]) => ({ labels: { decision }, value })),
    ),
    counter('plugin_records_dropped_total', 'Records that a plugin did not receive because it was too slow', [
      { labels: {}, value: pluginRecordsDropped() },
    ]),
    counter(
      'limit_refusals_total',
      'Requests refused and answers cut by limits',
      refusals().map(({ limit, kind, count }) => ({ labels: { limit, kind }, value: count })),
    ),
    {
      ...family(
        'gauge',
        'limit_used_ratio',
        'Share of a limit that is used or reserved, for limits of groups and of everybody',
        usedRatios(limits()),
      ),
      // Workers count together.
      aggregator: 'largest' as const,
    },
    ...sharedFamilies(sources),
    gauge('process_resident_memory_bytes', 'Resident memory', memory()),
  ];
}

/** The metrics of the server that shares limits, if there is one. */
function sharedFamilies({ sharedLimits, sharedResponses }: ProcessSources): Family[] {
  const shared = sharedLimits();
  const stored = sharedResponses();
  if (!shared) return [];
  const one = (value: number) => [{ labels: {}, value }];
  const largest = (name: string, help: string, value: number): Family => ({
    ...family('gauge', name, help, one(value)),
    // Each worker is a replica and uses the same server.
    aggregator: 'largest' as const,
  });
  return [
    largest('shared_limits_down', '1 while the server that shares limits is unavailable', shared.up ? 0 : 1),
    largest('shared_limits_replicas', 'Replicas that share limits; each worker counts', shared.replicas),
    counter(
      'shared_limits_failures_total',
      'Failures of the server that shares limits',
      one(shared.failures),
    ),
    ...(stored
      ? [
          largest(
            'shared_responses_down',
            '1 while the server that shares stored responses is unavailable',
            stored.up ? 0 : 1,
          ),
        ]
      : []),
  ];
}

/** Limits with the same name, such as in several time zones, have one value: the largest. */
function usedRatios(limits: readonly LimitUse[]): Sample[] {
  const ratios = new Map<string, Sample>();
  for (const { limit, taken } of limits.slice(0, MAX_LIMITS)) {
    const { name, kind, most } = limit;
    const value = most > 0 ? taken / most : 1;
    const other = ratios.get(name);
    if (!other || other.value < value) ratios.set(name, { labels: { limit: name, kind }, value });
  }
  return [...ratios.values()];
}
