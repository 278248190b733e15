/** Converts a record to spans: one for the request, with one for each attempt below it. */
import type { LogRecord } from '../logs/record.ts';
import type { Trace } from '../pipeline/record/trace.ts';
import type { JsonObject } from '../wire/json.ts';
import type { KeyValue, Span } from './otlp/tree.ts';
import type { Conventions, PlaceOf } from './names.ts';
import { isObject, numberOf, stringOf } from '../wire/json.ts';
import { inputMessages, outputMessages } from './messages.ts';
import { operationOf, providerNameOf } from './names.ts';
import { attribute, attributes, double, nanos } from './otlp/tree.ts';

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;
/** The flags of a span: sampled, and whether it is known that its parent is in another process. */
const SAMPLED = 0x1;
const KNOWS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

export interface SpanOptions {
  readonly conventions: Conventions;
  readonly content: boolean;
  readonly placeOf: PlaceOf;
  /** Redacts exported text. */
  readonly mask: (text: string) => string;
}

export function spansOf(record: LogRecord, trace: Trace, options: SpanOptions): Span[] {
  return [requestSpan(record, trace, options), ...attemptSpans(record, trace, options)];
}

function requestSpan(record: LogRecord, trace: Trace, options: SpanOptions): Span {
  const { mask } = options;
  const { traceId, spanId, parentId, state } = trace;
  const startMs = Date.parse(record.ts);
  const operation = operationOf(record.endpoint);
  const failed = record.outcome === 'error' || record.outcome === 'truncated';
  return {
    traceId,
    spanId,
    ...(state === undefined ? {} : { traceState: state }),
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    flags: SAMPLED | KNOWS_REMOTE | (parentId === undefined ? 0 : IS_REMOTE),
    name: `${operation} ${mask(record.model)}`.trim(),
    kind: SERVER,
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(startMs + record.latency_ms),
    attributes: [
      ...modelAttributes(record, trace, options),
      ...usageAttributes(record, options.conventions),
      ...requestAttributes(trace.request),
      ...ownAttributes(record, mask),
      ...contentAttributes(record, options),
    ],
    ...(failed
      ? { status: { code: ERROR, ...(record.error === null ? {} : { message: mask(record.error) }) } }
      : {}),
  };
}

function modelAttributes(record: LogRecord, trace: Trace, { placeOf, mask }: SpanOptions): KeyValue[] {
  const place = record.provider === null ? undefined : placeOf(record.provider);
  const names = trace.answer?.();
  const provider = place?.type ?? record.provider;
  return attributes([
    attribute('gen_ai.operation.name', operationOf(record.endpoint)),
    attribute('gen_ai.provider.name', provider === null ? undefined : providerNameOf(provider)),
    attribute('gen_ai.request.model', record.model === '' ? undefined : mask(record.model)),
    attribute('gen_ai.response.model', names?.model || record.upstream_model),
    attribute('gen_ai.response.id', names?.id || undefined),
    attribute('gen_ai.response.finish_reasons', record.finish === null ? undefined : [record.finish]),
    double(
      'gen_ai.response.time_to_first_chunk',
      record.first_content_ms === null ? undefined : record.first_content_ms / 1_000,
    ),
    attribute('gen_ai.conversation.id', record.conversation === null ? undefined : mask(record.conversation)),
    attribute('error.type', record.fault ?? undefined),
  ]);
}

/** Tokens as the provider reported them. Those of failed attempts are on the attempts. */
function usageAttributes(record: LogRecord, { cacheWrite }: Conventions): KeyValue[] {
  return attributes([
    attribute('gen_ai.usage.input_tokens', record.input_tokens),
    attribute('gen_ai.usage.output_tokens', record.output_tokens),
    attribute('gen_ai.usage.cache_read.input_tokens', record.cached_tokens),
    attribute(cacheWrite, record.cache_write_tokens),
    attribute('gen_ai.usage.reasoning.output_tokens', record.reasoning_tokens),
  ]);
}

/** The parameters of the request. */
function requestAttributes(request: JsonObject | undefined): KeyValue[] {
  if (!request) return [];
  const { reasoning, thinking, output_config: output } = request;
  const effort = stringOf(request.reasoning_effort) ?? named(reasoning, 'effort') ?? named(output, 'effort');
  const budget = isObject(thinking) ? numberOf(thinking.budget_tokens) : undefined;
  const most = request.max_completion_tokens ?? request.max_output_tokens ?? request.max_tokens;
  const count = numberOf(request.n);
  const stop = request.stop ?? request.stop_sequences;
  return attributes([
    attribute('gen_ai.request.stream', request.stream === true ? true : undefined),
    attribute('gen_ai.request.max_tokens', numberOf(most)),
    double('gen_ai.request.temperature', numberOf(request.temperature)),
    double('gen_ai.request.top_p', numberOf(request.top_p)),
    attribute('gen_ai.request.top_k', wholeOf(request.top_k)),
    attribute('gen_ai.request.seed', wholeOf(request.seed)),
    attribute('gen_ai.request.choice.count', count === 1 ? undefined : count),
    double('gen_ai.request.frequency_penalty', numberOf(request.frequency_penalty)),
    double('gen_ai.request.presence_penalty', numberOf(request.presence_penalty)),
    attribute('gen_ai.request.stop_sequences', textsOf(stop)),
    attribute(
      'gen_ai.request.reasoning.level',
      effort ?? (budget === undefined ? undefined : String(budget)),
    ),
    attribute('gen_ai.request.previous_response.id', stringOf(request.previous_response_id)),
  ]);
}

/** Attributes without a name in the conventions. */
function ownAttributes(record: LogRecord, mask: (text: string) => string): KeyValue[] {
  const { failed, estimate } = record;
  const maskedText = (text: string | null | undefined) => (text ? mask(text) : undefined);
  return attributes([
    attribute('http.response.status_code', record.status),
    attribute('llmproxy.request.id', mask(record.id)),
    attribute('llmproxy.endpoint', record.endpoint),
    attribute('llmproxy.outcome', record.outcome),
    attribute('llmproxy.attempts', record.attempts),
    attribute('llmproxy.provider', record.provider),
    attribute('llmproxy.lane', record.lane),
    attribute('llmproxy.key', maskedText(record.key)),
    attribute('llmproxy.group', record.group),
    attribute('llmproxy.user', maskedText(record.user)),
    double('llmproxy.cost_usd', record.cost),
    double('llmproxy.failed.cost_usd', failed?.cost),
    attribute('llmproxy.estimated.input_tokens', estimate?.input_tokens),
    attribute('llmproxy.estimated.output_tokens', estimate?.output_tokens),
    double('llmproxy.overhead_ms', record.overhead_ms),
  ]);
}

function contentAttributes({ request, response }: LogRecord, { content, mask }: SpanOptions): KeyValue[] {
  if (!content) return [];
  const masked = (text: string | undefined) => (text === undefined ? undefined : mask(text));
  return attributes([
    attribute('gen_ai.input.messages', masked(inputMessages(request))),
    attribute('gen_ai.output.messages', masked(outputMessages(response))),
  ]);
}

function attemptSpans(record: LogRecord, trace: Trace, options: SpanOptions): Span[] {
  const arrivedMs = Date.parse(record.ts);
  const endMs = arrivedMs + record.latency_ms;
  return record.attempt_log.flatMap((attempt, index) => {
    const traced = trace.attempts[index];
    if (!traced) return [];
    const { target, fault, status, ms } = attempt;
    const slash = target.indexOf('/');
    const provider = target.slice(0, slash);
    const model = target.slice(slash + 1);
    const place = options.placeOf(provider);
    const startMs = arrivedMs + traced.atMs;
    // A stream continues after its attempt has succeeded.
    const untilMs = fault === null && record.first_content_ms !== null ? endMs : startMs + ms;
    return {
      traceId: trace.traceId,
      spanId: traced.spanId,
      ...(trace.state === undefined ? {} : { traceState: trace.state }),
      parentSpanId: trace.spanId,
      flags: SAMPLED | KNOWS_REMOTE,
      name: `${operationOf(record.endpoint)} ${model}`,
      kind: CLIENT,
      startTimeUnixNano: nanos(startMs),
      endTimeUnixNano: nanos(Math.max(startMs, untilMs)),
      attributes: attributes([
        attribute('gen_ai.operation.name', operationOf(record.endpoint)),
        attribute('gen_ai.provider.name', providerNameOf(place?.type ?? provider)),
        attribute('gen_ai.request.model', model),
        attribute('server.address', place?.address),
        attribute('server.port', place?.port),
        attribute('http.response.status_code', status),
        attribute('error.type', fault ?? undefined),
        // The successful attempt has none, since they are on the request: nothing is to be counted twice.
        attribute('gen_ai.usage.input_tokens', attempt.input_tokens),
        attribute('gen_ai.usage.output_tokens', attempt.output_tokens),
        double('llmproxy.cost_usd', attempt.cost),
        attribute('llmproxy.provider', provider),
        attribute('llmproxy.attempt', index + 1),
      ]),
      ...(fault === null ? {} : { status: { code: ERROR, message: fault } }),
    };
  });
}

function named(value: unknown, field: string): string | undefined {
  return isObject(value) ? stringOf(value[field]) : undefined;
}

function wholeOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

function textsOf(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? (value as string[])
    : undefined;
}
