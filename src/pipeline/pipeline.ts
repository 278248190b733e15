import type { Abort } from '../abort.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Clock } from '../clock.ts';
import type { Streamed, Whole } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { AnswerNames } from './trace.ts';
import type { Inbound } from './inbound.ts';
import type { Admission, Admitted, Requester } from './admission.ts';
import type { ResumeDeps } from './resume.ts';
import type { Job, Routed } from './router.ts';
import type { StreamBudget } from './stream-budget.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { endingError, endingOf, untoldEnding } from '../wire/endings.ts';
import { tokensOf } from '../wire/estimate.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { Json } from '../wire/json.ts';
import { parseJson } from '../wire/json.ts';
import { saysWhy } from '../wire/endpoints.ts';
import type { StreamForm } from '../wire/stream-form.ts';
import { FORM_TYPES, reformed } from '../wire/stream-form.ts';
import { Delivery } from './delivery.ts';
import { Pump } from './pump.ts';

/** Types of bodies that are made here. */
type BodyType = (typeof FORM_TYPES)[StreamForm];

/** What the client gets. */
export interface Reply {
  readonly status: number;
  /** The provider's headers, as they came; the edge chooses which of them travel on. */
  readonly upstream: HeaderMap;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** The body's type, where it is not the provider's bytes as they came. */
  readonly made: BodyType | undefined;
  /** Request fields that the target could not take. */
  readonly dropped: readonly string[];
  /** What of a whole answer the client's protocol has no word for. */
  readonly lost?: readonly string[] | undefined;
}

/** Who waits for the answer. */
export interface Caller {
  /** Aborts with a ProxyError when it leaves. */
  readonly abort: Abort;
  /** It took nothing for too long: its connection may be closed. */
  readonly stalled: () => void;
  readonly requester: Requester;
}

/** A whole answer, and whose request it answers. */
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
   * Shows whole answers to others before the client gets them; left out where nobody wants to see them. Gives another JSON
   * text, or `undefined` where it stays; rejects with a ProxyError when the client is not to have it.
   */
  readonly revise?: Revise | undefined;
  readonly clock: Clock;
  readonly admission: Admission;
  /** Takes secrets out of what a provider says. */
  readonly mask: (text: string) => string;
  readonly keepaliveMs: number;
  readonly stallMs: number;
  /** The memory of all streams whose clients are behind. */
  readonly budget: StreamBudget;
}

/** What happens to one request between the server and the providers: find targets, route, settle, record. */
export class Pipeline {
  readonly #deps: PipelineDeps;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a request. The exchange is finished when the answer has ended, also when that is later.
   * @throws ProxyError; then the exchange is left for the caller to finish with the status it sends
   */
  async handle(inbound: Inbound, exchange: Exchange, caller: Caller): Promise<Reply> {
    const admitted = this.#deps.admission.admit(inbound, caller.requester);
    // Nearly always it is known at once.
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
      exchange.limitHeaders = { ...exchange.limitHeaders, 'x-llmproxy-instead': instead };
    return admitted;
  }

  /** The answer as others leave it who may look at it first. @throws ProxyError when the client is not to have it */
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
      text === undefined ? Math.ceil(body.length / 4) : tokensOf((parseJson(text) ?? text) as Json);
    target.used(ticket, usage, saysWhy(exchange.endpoint) ? written : undefined);
    target.succeed(ticket, nowMs, nowMs - beganMs);
    const answer = { usage, finish, bytes: body.length, written, text: () => text, malformed: 0, lost };
    if (exchange.trace && text !== undefined) exchange.trace.answer = () => namesIn(text);
    if (refused) {
      const outcome = refused.fault === 'client_abort' ? 'client_abort' : 'error';
      const spent = { ...answer, bytes: 0, text: () => undefined };
      return void exchange.finish({ outcome, status: refused.rule.status, error: refused, answer: spent });
    }
    const untold = finish === null && saysWhy(exchange.endpoint) ? untoldEnding(target.id) : undefined;
    const error = untold ?? endingError(endingOf('chat', finish), target.id);
    exchange.finish({ outcome: error ? 'truncated' : 'success', status: opened.status, error, answer });
  }

  #stream(job: Job, routed: Routed, streamed: Streamed, caller: Caller): ReadableStream<Uint8Array> {
    const { exchange } = job;
    const { clock, mask, keepaliveMs, stallMs, budget } = this.#deps;
    const { flow } = streamed;
    const { tap } = flow;
    if (tap) exchange.begins();
    exchange.streams();
    if (exchange.trace && tap) exchange.trace.answer = () => tap.name();
    const recipient = { caller, exchange, stopLimit: this.#limitWhole(job) };
    const owner = new Delivery(job, routed, flow, recipient, this.#deps);
    const { form } = job.inbound;
    const options = { clock, requestId: exchange.id, mask, keepaliveMs, stallMs, budget, form };
    return new ReadableStream(new Pump(streamed, owner, options));
  }

  /** The caller's own deadline holds for the whole stream. @returns how to lift it */
  #limitWhole({ inbound, abort, exchange }: Job): () => void {
    if (inbound.endWithinMs === Infinity) return () => undefined;
    return this.#deps.clock.after(inbound.endWithinMs - exchange.elapsedMs, () =>
      abort.abort(new ProxyError('deadline', "Cannot finish in time: the caller's deadline has passed")),
    );
  }
}

/** Where the names of an answer stand, if they do so before what it says, characters. */
const MOST_BEFORE = 4_096;

/** The names that a whole answer gives itself, without reading what it says. */
function namesIn(text: string): AnswerNames {
  const start = text.slice(0, MOST_BEFORE);
  const said = start.search(/"(?:choices|output|content|data|candidates)"\s*:/);
  const before = said < 0 ? start : start.slice(0, said);
  const named = (field: string) => new RegExp(`"${field}"\\s*:\\s*"([^"\\\\]{1,200})"`).exec(before)?.[1];
  return { id: named('id'), model: named('model') };
}

/** Finishes an exchange that ended in an error before any of its answer was sent. */
export function finishFailed(exchange: Exchange, thrown: unknown, status: number): ProxyError {
  const error = toProxyError(thrown);
  exchange.finish({ outcome: error.fault === 'client_abort' ? 'client_abort' : 'error', status, error });
  return error;
}
