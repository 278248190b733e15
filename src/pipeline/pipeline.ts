import type { Abort } from '../abort.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Clock } from '../clock.ts';
import type { Streamed, Whole } from './attempts/attempting.ts';
import type { Exchange } from './record/exchange.ts';
import type { AnswerNames } from './record/trace.ts';
import type { Inbound } from './inbound.ts';
import type { Admission, Admitted, Requester } from './admission.ts';
import type { ResumeDeps } from './attempts/resume.ts';
import type { Job, Routed } from './routing/router.ts';
import type { StreamBudget } from './streams/stream-budget.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { endingError, endingOf, missingEnding } from '../wire/endings.ts';
import { answerTokens } from '../wire/estimate-answer.ts';
import { headerText } from '../wire/header-text.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { Json } from '../wire/json.ts';
import { parseJson } from '../wire/json.ts';
import { saysWhy } from '../wire/endpoints.ts';
import type { StreamForm } from '../wire/stream-form.ts';
import { FORM_TYPES, reformed } from '../wire/stream-form.ts';
import { Delivery } from './delivery.ts';
import { Pump } from './streams/pump.ts';

/** The content types of bodies made here. */
type BodyType = (typeof FORM_TYPES)[StreamForm];

/** The answer for the client. */
export interface Reply {
  readonly status: number;
  /** The provider's headers, as received; the server selects those that are passed on. */
  readonly upstream: HeaderMap;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** The content type if the body is not the provider's bytes unchanged. */
  readonly made: BodyType | undefined;
  /** Request fields that the target does not support. */
  readonly dropped: readonly string[];
  /** The parts of a whole answer that the client's protocol cannot express. */
  readonly lost?: readonly string[] | undefined;
}

/** The waiting client. */
export interface Caller {
  /** Aborts with a ProxyError when it disconnects. */
  readonly abort: Abort;
  /** It took nothing for too long: its connection may be closed. */
  readonly stalled: () => void;
  readonly requester: Requester;
}

/** A whole answer, and the caller. */
export type Revise = (
  answer: { readonly status: number; readonly text: string },
  facts: {
    readonly id: string;
    readonly key: string | null;
    readonly user: string | null;
    readonly model: string;
    readonly endpoint: Endpoint;
    readonly stream: boolean;
  },
  client: AbortSignal,
) => Promise<string | undefined>;

export interface PipelineDeps extends ResumeDeps {
  /**
   * Shows whole answers to plugins before the client gets them; omitted if there are no such hooks. Returns another
   * JSON text, or `undefined` to keep it; rejects with a ProxyError if the client must not get it.
   */
  readonly revise?: Revise | undefined;
  readonly clock: Clock;
  readonly admission: Admission;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
  readonly keepaliveMs: number;
  readonly stallMs: number;
  /** The memory of all streams whose clients are slow. */
  readonly budget: StreamBudget;
}

/** The way of one request between the server and the providers: find targets, route, settle, record. */
export class Pipeline {
  readonly #deps: PipelineDeps;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a request. The exchange is finished when the answer has ended, which may be later.
   * @throws ProxyError; the caller must finish the exchange with the status it sends then
   */
  async handle(inbound: Inbound, exchange: Exchange, caller: Caller): Promise<Reply> {
    const admitted = this.#deps.admission.admit(inbound, caller.requester);
    // Nearly always it is admitted without waiting.
    const { candidates, policy, expected } = this.#admitted(
      admitted instanceof Promise ? await admitted : admitted,
      inbound,
      exchange,
    );
    const job: Job = {
      inbound,
      candidates,
      policy,
      expected,
      abort: caller.abort,
      deadlineMs: Math.min(inbound.beginWithinMs, inbound.endWithinMs),
      exchange,
    };
    const routed = await this.#deps.router.route(job);
    const { target, offer, opened } = routed;
    const { answer, status, headers: upstream, dropped } = opened;
    exchange.answers(target, offer, opened.lane);
    if (answer.kind === 'whole') {
      const given = this.#deps.revise ? await this.#revised(job, routed, answer, caller) : answer;
      this.#settleWhole(routed, given, exchange);
      const form = given.made === 'text/event-stream' ? inbound.form : 'events';
      const made = form === 'events' ? given.made : FORM_TYPES[form];
      return { status, upstream, body: reformed(given.body, form), made, dropped, lost: given.lost };
    }
    const body = this.#stream(job, routed, answer, caller);
    return { status, upstream, body, made: answer.flow.tap && FORM_TYPES[inbound.form], dropped };
  }

  #admitted(admitted: Admitted, inbound: Inbound, exchange: Exchange): Admitted {
    const { lease, instead, expected } = admitted;
    exchange.admitted(lease, expected);
    if (lease) exchange.limitHeaders = lease.headers(inbound.endpoint.startsWith('messages'));
    if (instead !== undefined)
      exchange.limitHeaders = { ...exchange.limitHeaders, 'x-llmproxy-instead': headerText(instead) };
    return admitted;
  }

  /** The answer after the plugins' hooks. @throws ProxyError when the client must not get it */
  async #revised(job: Job, routed: Routed, whole: Whole, { abort, requester }: Caller): Promise<Whole> {
    const { text, made } = whole;
    if (text === undefined || made === 'text/event-stream') return whole;
    const { inbound, exchange } = job;
    const { model, endpoint, stream } = inbound;
    const { user } = requester;
    const facts = { id: exchange.id, key: requester.caller.key, user, model, endpoint, stream };
    const { status } = routed.opened;
    try {
      const revised = await this.#deps.revise!({ status, text }, facts, abort.signal);
      if (revised === undefined) return whole;
      return { ...whole, text: revised, body: new TextEncoder().encode(revised), made: 'application/json' };
    } catch (thrown) {
      const error = toProxyError(thrown);
      this.#settleWhole(routed, whole, exchange, error);
      throw error;
    }
  }

  /** @param refused why the client does not get it */
  #settleWhole(
    { opened, target, ticket, beganMs }: Routed,
    whole: Whole,
    exchange: Exchange,
    refused?: ProxyError,
  ): void {
    const nowMs = this.#deps.clock.monotonic();
    const { usage, finish, body, text, lost } = whole;
    const written = () =>
      text === undefined ? Math.ceil(body.length / 4) : answerTokens((parseJson(text) ?? text) as Json);
    target.used(ticket, usage, saysWhy(exchange.endpoint) ? written : undefined);
    target.succeed(ticket, nowMs, nowMs - beganMs);
    const answer = { usage, finish, bytes: body.length, written, text: () => text, malformed: 0, lost };
    if (exchange.trace && text !== undefined) exchange.trace.answer = () => namesIn(text);
    if (refused) {
      const outcome = refused.fault === 'client_abort' ? 'client_abort' : 'error';
      const spent = { ...answer, bytes: 0, text: () => undefined };
      return void exchange.finish({ outcome, status: refused.rule.status, error: refused, answer: spent });
    }
    const untold = finish === null && saysWhy(exchange.endpoint) ? missingEnding(target.id) : undefined;
    const error = untold ?? endingError(endingOf('chat', finish), target.id);
    exchange.finish({ outcome: error ? 'truncated' : 'success', status: opened.status, error, answer });
  }

  #stream(job: Job, routed: Routed, streamed: Streamed, caller: Caller): ReadableStream<Uint8Array> {
    const { exchange } = job;
    const { clock, turns, mask, keepaliveMs, stallMs, budget } = this.#deps;
    const { flow } = streamed;
    const { tap } = flow;
    if (tap) exchange.begins();
    exchange.streams();
    if (exchange.trace && tap) exchange.trace.answer = () => tap.name();
    const recipient = { caller, exchange, stopLimit: this.#limitWhole(job) };
    const owner = new Delivery(job, routed, flow, recipient, this.#deps);
    const { form } = job.inbound;
    const options = { clock, turns, requestId: exchange.id, mask, keepaliveMs, stallMs, budget, form };
    return new ReadableStream(new Pump(streamed, owner, options));
  }

  /** The caller's own deadline applies to the whole stream. @returns a function that lifts it */
  #limitWhole({ inbound, abort, exchange }: Job): () => void {
    if (inbound.endWithinMs === Infinity) return () => undefined;
    return this.#deps.clock.after(inbound.endWithinMs - exchange.elapsedMs, () =>
      abort.abort(new ProxyError('deadline', "Cannot finish in time: the caller's deadline has passed")),
    );
  }
}

/** How far the names of an answer are searched for, characters: they precede its content. */
const MOST_BEFORE = 4_096;

/** The id and model in a whole answer, without parsing its content. */
function namesIn(text: string): AnswerNames {
  const start = text.slice(0, MOST_BEFORE);
  const contentAt = start.search(/"(?:choices|output|content|data|candidates)"\s*:/);
  const before = contentAt < 0 ? start : start.slice(0, contentAt);
  const named = (field: string) => new RegExp(`"${field}"\\s*:\\s*"([^"\\\\]{1,200})"`).exec(before)?.[1];
  return { id: named('id'), model: named('model') };
}

/** Finishes an exchange that failed before any of its answer was sent. */
export function finishFailed(exchange: Exchange, thrown: unknown, status: number): ProxyError {
  const error = toProxyError(thrown);
  exchange.finish({ outcome: error.fault === 'client_abort' ? 'client_abort' : 'error', status, error });
  return error;
}
