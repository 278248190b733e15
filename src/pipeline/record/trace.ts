/** A request as part of a trace. @see https://www.w3.org/TR/trace-context-2/ */
import type { JsonObject } from '../../wire/json.ts';

/** The headers that carry it, in lower case. */
export const TRACE_HEADERS = ['traceparent', 'tracestate'] as const;

/** The longest tracestate that is passed on, characters; longer ones are dropped, as the specification allows. */
const MAX_STATE = 512;

export interface TraceDeps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The share of the traces started here that is exported, from 0 to 1. */
  readonly sample: number;
}

/** An attempt as part of a trace. */
export interface TracedAttempt {
  readonly spanId: string;
  /** When it began, milliseconds since the arrival of the request. */
  readonly atMs: number;
}

/** The id and model in an answer. */
export interface AnswerNames {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
}

/** Request fields that spans include, with the names of all protocols. */
const ASKED = [
  'stream',
  'max_completion_tokens',
  'max_output_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'seed',
  'n',
  'frequency_penalty',
  'presence_penalty',
  'stop',
  'stop_sequences',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'output_config',
  'previous_response_id',
] as const;

/** The parameters of a request. The whole request may be megabytes. */
export function tracedRequest(request: JsonObject): JsonObject {
  return Object.fromEntries(ASKED.filter((name) => name in request).map((name) => [name, request[name]]));
}

/** One request in a trace, which the caller may have begun. */
export class Trace {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's span, if it sent one. */
  readonly parentId: string | undefined;
  /** Whether it is exported: as the caller has decided, otherwise by chance. */
  readonly sampled: boolean;
  readonly state: string | undefined;
  /** In the order of the record's attempts. */
  readonly attempts: TracedAttempt[] = [];
  /** The parameters of the request. */
  request: JsonObject | undefined;
  /** The id and model of the answer, if there is one. */
  answer: (() => AnswerNames) | undefined;
  readonly #random: () => number;

  /** @param headers of the client, with lower-case names */
  constructor(headers: Readonly<Record<string, string | undefined>>, { random, sample }: TraceDeps) {
    this.#random = random;
    const given = parentIn(headers.traceparent);
    this.traceId = given?.traceId ?? randomHex(random, 16);
    this.parentId = given?.parentId;
    this.sampled = given ? given.sampled : random() < sample;
    this.spanId = randomHex(random, 8);
    const state = headers.tracestate?.trim();
    // A state without its parent is meaningless.
    this.state =
      given && state && state.length <= MAX_STATE && !/[^\x20-\x7e]/.test(state) ? state : undefined;
  }

  /** Begins an attempt. */
  attempt(atMs: number): TracedAttempt {
    return { spanId: randomHex(this.#random, 8), atMs };
  }

  /** The headers that connect the provider to the trace. */
  headersFor({ spanId }: TracedAttempt): Record<string, string> {
    const traceparent = `00-${this.traceId}-${spanId}-${this.sampled ? '01' : '00'}`;
    return this.state === undefined ? { traceparent } : { traceparent, tracestate: this.state };
  }
}

/** Parses a traceparent; `undefined` if it is invalid, or of an unknown version. */
function parentIn(text: string | undefined) {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const [, version, traceId, parentId, flags, rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(parentId!)) return undefined;
  return { traceId: traceId!, parentId: parentId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}

/** Random bytes in hexadecimal; never all zeros, which stand for none. */
function randomHex(random: () => number, bytes: number): string {
  let text = '';
  for (let n = 0; n < bytes; n += 4)
    text += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return /^0+$/.test(text) ? text.replace(/0$/, '1') : text;
}
