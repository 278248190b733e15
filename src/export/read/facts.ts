/** Facts of a log record of any kind, before and after its conversation is read. */
import { isObject, numberOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Recorded } from '../../wire/endpoints.ts';
import { saysWhy } from '../../wire/endpoints.ts';
import type { Filter, RejectReason } from '../errors.ts';

/** The facts that filters use. Except for old lines, the head of a line has them all. */
export interface Facts {
  /** ISO time as logged; empty when there is none. */
  readonly ts: string;
  readonly id: string | null;
  /** The model the client asked for; empty when unknown. */
  readonly model: string;
  readonly upstreamModel: string | null;
  readonly provider: string | null;
  /** Empty when the record is not of this proxy. */
  readonly endpoint: string;
  readonly status: number | null;
  readonly finish: string | null;
  readonly key: string | null;
  /** The end user, as the client named it. */
  readonly user: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Conversation id of the client. */
  readonly conversation: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latencyMs: number | null;
  /** USD. */
  readonly cost: number | null;
  /** The answer was put together of several streams. */
  readonly resumed: boolean;
  /** Why it is no success, `undefined` for a success. */
  readonly failure: Filter | undefined;
  /** Why it cannot hold a conversation, `undefined` when it may. */
  readonly reject: RejectReason | undefined;
}

export interface Entry extends Facts {
  /** The client's request in OpenAI's shape. */
  readonly request: JsonObject;
  /** The answer: a message of the assistant in OpenAI's shape. */
  readonly answer: JsonObject;
  /** The whole record as parsed. */
  readonly record: JsonObject;
  /** Messages of the request that are not to be trained, by number: a dataset made elsewhere says so. */
  readonly untrained?: ReadonlySet<number>;
  /** The provider ran a tool by itself, whose results no message shows. */
  readonly providerTools?: boolean;
}

/** Facts of a record that says nothing. */
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

/** Why a record is no success, and why it can hold no conversation, as the first fields of its head tell. */
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

/** How providers say that the model ended by itself. */
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

/** Two of these and what stands for "not known" are told apart in 32 bits. */
const MOST_TOKENS = 0x7fffffff;

/** A count of tokens; `null` for any other value. */
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
