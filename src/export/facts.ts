/** What is known of a log record of any kind, before and after it is parsed. */
import type { LineHead } from '../logs/head.ts';
import { isObject } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Filter, Flaw } from './reasons.ts';

/** What filters look at: known from the head of a line alone. */
export interface Facts {
  /** ISO time as logged. */
  readonly ts: string;
  /** The model the client asked for; empty when unknown. */
  readonly model: string;
  /** Why it is no success, `undefined` for a success. */
  readonly failure: Filter | undefined;
  /** Why it cannot hold a conversation, `undefined` when it may. */
  readonly flaw: Flaw | undefined;
}

export interface Entry extends Facts {
  /** The client's request in OpenAI's shape. */
  readonly request: JsonObject;
  /** What the model answered: a message of the assistant, in OpenAI's shape. */
  readonly answer: JsonObject;
  /** The whole record as parsed. */
  readonly record: JsonObject;
}

/** Endpoints where a model is told something and answers. */
const TALKING = new Set(['chat', 'completions', 'messages', 'responses']);

/** What the head of one of our lines says. */
export function factsOf({ ts, model, endpoint, outcome, status, finish }: LineHead): Facts {
  const talks = TALKING.has(endpoint);
  const good = outcome === 'success' && isSuccessStatus(status);
  const failure = !good ? 'unsuccessful' : talks && !isFinished(finish) ? 'unfinished' : undefined;
  return { ts, model, failure, flaw: talks ? undefined : 'not_a_conversation' };
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

/** The choice with index 0, or the first. */
export function firstChoice(choices: unknown): JsonObject | undefined {
  if (!Array.isArray(choices)) return undefined;
  const all = choices.filter(isObject);
  return all.find((choice) => choice.index === 0) ?? all[0];
}
