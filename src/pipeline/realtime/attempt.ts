import type { Clock } from '../../clock.ts';
import type { RealtimeSocket, SocketMessage, SocketReply } from '../../providers/base.ts';
import type { RealtimeProtocol } from '../../wire/realtime/protocol.ts';
import type { Inbound } from '../inbound.ts';
import type { Attempting, AttemptPlan, Opened } from '../attempts/attempting.ts';
import { Abort } from '../../abort.ts';
import { atOnce } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { beginning } from '../../providers/beginning.ts';
import { classifyBody, classifyStatus } from '../../wire/classify.ts';
import { headerMap } from '../../wire/headers.ts';
import { CLOSE } from '../../wire/websocket/close.ts';
import { setupOf } from '../../wire/realtime/gemini.ts';
import { refusalOf } from '../attempts/refusal.ts';
import { AttemptTimers, limitsOf } from '../streams/timers.ts';
import { protocolOf, textOf } from './messages.ts';

/** A session that a provider has begun. */
export interface Begun {
  readonly kind: 'session';
  readonly socket: RealtimeSocket;
  /** The messages that it has sent so far. */
  readonly held: readonly SocketMessage[];
  /** How it was closed meanwhile, after these messages. */
  readonly closed: readonly [code: number, reason: string, flawed: boolean] | undefined;
}

export interface SessionAttemptDeps {
  readonly clock: Clock;
  /** The largest message, bytes. */
  readonly maxMessage: number;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
}

/**
 * A provider that sends the first message reports within this time after the handshake that it cannot serve a session,
 * milliseconds. Afterwards it is treated as one that waits for the client.
 */
const GREETING_MS = 3_000;

/** One attempt to open a session at one target: until its first message, it may be opened elsewhere. */
export class SessionAttempt implements Attempting<Begun> {
  readonly #inbound: Inbound;
  readonly #plan: AttemptPlan;
  readonly #deps: SessionAttemptDeps;
  readonly #protocol: RealtimeProtocol;
  readonly #abort = new Abort();
  readonly #timers: AttemptTimers;
  readonly #unfollow: () => void;
  #socket: RealtimeSocket | undefined;
  status: number | null = null;

  /** @param client aborts with a ProxyError when the client disconnects, or the deadline passes */
  constructor(inbound: Inbound, plan: AttemptPlan, client: Abort, deps: SessionAttemptDeps) {
    this.#inbound = inbound;
    this.#plan = plan;
    this.#deps = deps;
    this.#protocol = protocolOf(inbound.endpoint);
    const { provider, id } = plan.target;
    this.#timers = new AttemptTimers({
      clock: deps.clock,
      limits: limitsOf(true, provider.settings.timeouts, plan.offer.timeouts),
      target: id,
      stream: true,
      share: plan.share,
      reachable: (ms) => provider.reachable(ms),
      expired: (error) => this.#abort.abort(error),
    });
    this.#unfollow = client.onAbort(() => this.#abort.abort(client.reason));
  }

  async open(): Promise<Opened<Begun>> {
    try {
      return await this.#open();
    } catch (thrown) {
      this.#socket?.terminate();
      const error = thrown instanceof ProxyError ? thrown.reworded(this.#deps.mask) : thrown;
      this.#abort.abort(error);
      throw error;
    } finally {
      this.#timers.stop();
      this.#unfollow();
    }
  }

  cancel(reason: unknown): void {
    this.#abort.abort(reason);
  }

  discard({ answer }: Opened<Begun>): void {
    answer.socket.close(CLOSE.normal, '');
  }

  async #open(): Promise<Opened<Begun>> {
    const { target, key, traceHeaders, redact } = this.#plan;
    if (redact) {
      const message = `Cannot redact a realtime session, so none is opened with ${target.id}`;
      throw new ProxyError('unredactable', message, { target: target.id });
    }
    const { endpoint } = this.#inbound;
    const headers = { ...this.#inbound.headers, ...traceHeaders };
    const { provider, model } = target;
    const call = { endpoint, model, key, headers, maxMessage: this.#deps.maxMessage };
    const reply = await provider.connect(call, this.#abort.signal);
    this.status = reply.status;
    const shown = headerMap(reply.headers);
    this.#plan.answered?.(shown);
    if (!reply.socket) throw await this.#refused(reply);
    this.#socket = reply.socket;
    this.#timers.answered(true);
    const { held, closed } = await this.#first(reply.socket);
    const answer: Begun = { kind: 'session', socket: reply.socket, held, closed };
    return { lane: 'relay', status: reply.status, headers: shown, dropped: [], answer };
  }

  /** Waits for the first message, which shows whether there is a session. */
  async #first(socket: RealtimeSocket): Promise<Pick<Begun, 'held' | 'closed'>> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const held: SocketMessage[] = [];
    let closed: Begun['closed'];
    this.#abort.onAbort(() => reject(this.#abort.reason));
    socket.listen({
      message: (message) => {
        held.push(message);
        socket.pause();
        const error = held.length === 1 ? this.#errorIn(message) : undefined;
        if (error) reject(error);
        else resolve();
      },
      closed: (...how) => {
        closed = how;
        if (held.length === 0) reject(this.#closed(...how));
      },
      heard: () => undefined,
      drained: () => undefined,
    });
    const opening = this.#opening();
    if (opening !== undefined) socket.send(opening);
    const cancel = this.#protocol.greets ? this.#deps.clock.after(GREETING_MS, resolve) : () => undefined;
    try {
      await promise;
    } finally {
      cancel();
    }
    return {
      held,
      get closed() {
        return closed;
      },
    };
  }

  /** The client's first message, with the upstream name of the model. */
  #opening(): string | undefined {
    const { json } = this.#inbound;
    const setup = json && setupOf(json.value);
    if (!json || !setup) return undefined;
    const { provider, model } = this.#plan.target;
    return JSON.stringify({ ...json.value, setup: { ...setup, model: provider.liveModel(model) } });
  }

  async #refused(reply: SocketReply): Promise<ProxyError> {
    const body = await beginning(reply.body).catch(() => '');
    // A server that treats the upgrade as a plain request says nothing about the session.
    const status = reply.status < 300 ? 501 : reply.status;
    const classified = classifyStatus(status, reply.headers, body, this.#protocol.greets);
    return refusalOf(classified, {
      target: this.#plan.target.id,
      body,
      nowMs: this.#deps.clock.now(),
    });
  }

  #errorIn(message: SocketMessage): ProxyError | undefined {
    const { error } = atOnce(this.#protocol.providerEvent(textOf(message)));
    const classified = error && classifyBody(error);
    if (!classified) return undefined;
    const { target } = this.#plan;
    return refusalOf(classified, { target: target.id, body: '', nowMs: this.#deps.clock.now() });
  }

  /** A close before the first message, whose reason is more specific than the code. */
  #closed(code: number, reason: string, flawed: boolean): ProxyError {
    const target = this.#plan.target.id;
    if (flawed)
      return new ProxyError('malformed', `Cannot use the answer of ${target}: ${reason}`, { target });
    if (code === CLOSE.abnormal)
      return new ProxyError('network', `Cannot reach ${target}: it closed the session at once`, { target });
    const body = JSON.stringify({ error: { message: reason || `it closed the session with ${code}` } });
    const classified = classifyStatus(statusOfClose(code, reason), new Headers(), body);
    return refusalOf(classified, { target, body: '', nowMs: this.#deps.clock.now() });
  }
}

/** The HTTP status that a close corresponds to, by the reasons of Google's and OpenAI's services. */
function statusOfClose(code: number, reason: string): number {
  if (/api[ _]?key/i.test(reason)) return 401;
  if (/quota|rate limit|exhausted/i.test(reason)) return 429;
  if (/not found|not supported for/i.test(reason)) return 404;
  if (code === CLOSE.notText || code === CLOSE.tooLarge) return 400;
  if (code === CLOSE.policy) return 403;
  return code === CLOSE.tryLater ? 503 : 500;
}
