/** Facts about a log record of any kind, before and after its conversation is read. */
import { isObject, numberOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Recorded } from '../../wire/endpoints.ts';
import { saysWhy } from '../../wire/endpoints.ts';
import type { Filter, RejectReason } from '../errors.ts';

/** The facts that filters use. Except for old lines, the head of a line contains all of them. */
export interface Facts {
  /** ISO time as logged; empty if there is none. */
  readonly ts: string;
  readonly id: string | null;
  /** The requested model; empty if unknown. */
  readonly model: string;
  readonly upstreamModel: string | null;
  readonly provider: string | null;
  /** Empty if the record was not written by this proxy. */
  readonly endpoint: string;
  readonly status: number | null;
  readonly finish: string | null;
  readonly key: string | null;
  /** The end user that the client named. */
  readonly user: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** The client's conversation id. */
  readonly conversation: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latencyMs: number | null;
  /** USD. */
  readonly cost: number | null;
  /** Whether the answer was assembled from several streams. */
  readonly resumed: boolean;
  /** Why it is not a success, `undefined` for a success. */
  readonly failure: Filter | undefined;
  /** Why it cannot contain a conversation, `undefined` when it may. */
  readonly reject: RejectReason | undefined;
}

export interface Entry extends Facts {
  /** The client's request in OpenAI's format. */
  readonly request: JsonObject;
  /** The answer: an assistant message in OpenAI's format. */
  readonly answer: JsonObject;
  /** The whole parsed record. */
  readonly record: JsonObject;
  /** The indexes of messages that must not be trained, as a dataset from another source may say. */
  readonly untrained?: ReadonlySet<number>;
  /** Whether the provider ran a tool whose results are in no message. */
  readonly providerTools?: boolean;
}

/** The facts of an empty record. */
export const NO_FACTS: Facts = {
  ts: '',
  id: null,
  model: '',
  upstreamModel: null,
  provider: null,
  endpoint: '',
  status: null,
  finish: null,
  key: null,
  user: null,
  tags: {},
  conversation: null,
  inputTokens: null,
  outputTokens: null,
  latencyMs: null,
  cost: null,
  resumed: false,
  failure: undefined,
  reject: undefined,
};

/** Why a record is not a success, and why it cannot contain a conversation, by the first fields of its head. */
export function verdictOf(
  endpoint: string,
  { outcome, status, finish }: { outcome: string; status: number; finish: string | null },
): Pick<Facts, 'failure' | 'reject'> {
  const talks = saysWhy(endpoint as Recorded);
  const good = outcome === 'success' && isSuccessStatus(status);
  const failure = !good ? 'unsuccessful' : talks && !isFinished(finish) ? 'unfinished' : undefined;
  return { failure, reject: talks ? undefined : 'not_a_conversation' };
}

export function isSuccessStatus(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The finish reasons for an answer that the model itself ended. */
const FINISHED = new Set([
  'stop',
  'tool_calls',
  'function_call',
  'end_turn',
  'stop_sequence',
  'tool_use',
  'eos',
  'eos_token',
  'end',
  'complete',
]);

export function isFinished(finish: string | null): boolean {
  return finish !== null && FINISHED.has(finish.toLowerCase());
}

/** The largest count: two of these, and a value for "unknown", fit into 32 bits. */
const MOST_TOKENS = 0x7fffffff;

/** A token count; `null` for any other value. */
export function tokenCount(value: unknown): number | null {
  const tokens = numberOf(value);
  return Number.isInteger(tokens) && tokens! >= 0 && tokens! <= MOST_TOKENS ? tokens! : null;
}

/** The choice with index 0, or the first. */
export function firstChoice(choices: unknown): JsonObject | undefined {
  if (!Array.isArray(choices)) return undefined;
  const all = choices.filter(isObject);
  return all.find((choice) => choice.index === 0) ?? all[0];
}
