import type { ServerContext, ServerSocket, SocketHandler } from '../../context.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { TurnsOf } from './turn.ts';
import type { Held } from '../last-answer.ts';
import type { ProxyError } from '../../../errors.ts';
import { toProxyError } from '../../../errors.ts';
import { CLOSE } from '../../../wire/websocket/close.ts';
import { boundsOf, readObject } from '../../json.ts';
import { answerTurn, bodyOf, errorEvent } from './turn.ts';
import { warmUp } from './warm-up.ts';

/** Requests that wait for the one before them, and their length, characters: whoever sends more does not wait for answers. */
const MAX_WAITING = 64;

/**
 * A connection of the Responses API: requests come as messages, one is answered after the other, and the events of the answers go
 * back as messages. Each is a request like any other over HTTP.
 */
export class ResponsesSocket implements SocketHandler {
  readonly #context: ServerContext;
  readonly #turns: TurnsOf;
  /** Whose it is: a key, or an address where there are none. */
  readonly owner: string | undefined;
  readonly #held: Held;
  readonly #ended: () => void;
  readonly #abort = new AbortController();
  /** What came, and what there was no room for. */
  readonly #waiting: (string | ProxyError)[] = [];
  #length = 0;
  #socket: ServerSocket | undefined;
  #busy = false;
  #drains = false;
  #closed = false;
  /** Whether it has been there for as long as it may. */
  #old = false;
  #resume: (() => void) | undefined;
  #cancelIdle: () => void = () => undefined;
  readonly #cancelOld: () => void;

  /**
   * @param options.held the memory for what waits
   * @param options.ended told once when it is closed
   */
  constructor(
    context: ServerContext,
    turns: TurnsOf,
    { owner, held, ended }: { owner: string | undefined; held: Held; ended: () => void },
  ) {
    this.owner = owner;
    this.#context = context;
    this.#turns = turns;
    this.#held = held;
    this.#ended = ended;
    this.#cancelOld = context.clock.after(context.limits.realtime.duration, () => (this.#old = true));
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
    this.#waitIdle();
    if (this.#drains) this.drain();
  }

  message(message: string | Uint8Array): void {
    this.#cancelIdle();
    const text = typeof message === 'string' ? message : new TextDecoder().decode(message);
    const length = this.#length + text.length;
    if (this.#waiting.length >= MAX_WAITING || length > 2 * this.#context.limits.max_body)
      return this.#close(CLOSE.policy, 'Too many requests wait for the one before them');
    try {
      this.#held.take(text.length);
      this.#length = length;
      this.#waiting.push(text);
    } catch (thrown) {
      this.#waiting.push(toProxyError(thrown));
    }
    if (!this.#busy) void this.#work();
  }

  drained(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelIdle();
    this.#cancelOld();
    this.#abort.abort();
    this.#waiting.length = 0;
    this.#free(this.#length);
    this.#turns.last.end();
    this.drained();
    this.#ended();
  }

  /** The proxy is being stopped: what is being answered is finished, and nothing else is begun. */
  drain(): void {
    this.#drains = true;
    if (!this.#busy) this.#close(CLOSE.goingAway, 'The proxy is being stopped');
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (;;) {
      const next = this.#closed || this.#drains ? undefined : this.#waiting.shift();
      if (next === undefined) break;
      // From here on its body is counted like any other's.
      if (typeof next === 'string') this.#free(next.length);
      await this.#turn(next);
    }
    this.#busy = false;
    if (this.#drains) this.drain();
    else this.#waitIdle();
  }

  async #turn(given: string | ProxyError): Promise<void> {
    try {
      if (typeof given !== 'string') throw given;
      const { turns, limits } = this.#context;
      await this.#create(await turns.run(readObject(given, boundsOf(limits))), given);
    } catch (thrown) {
      const { rule, message, param } = toProxyError(thrown);
      await this.#send(errorEvent(rule.status, rule.code, message, param ?? null));
    }
  }

  async #create(event: JsonObject, text: string): Promise<void> {
    if (event.type !== 'response.create') {
      const known = 'Cannot read the message: its type must be "response.create"';
      return this.#send(errorEvent(400, 'invalid_request', known, 'type'));
    }
    if (this.#old) {
      const message =
        'The connection has been open for as long as it may (limits.realtime.duration): open another one';
      await this.#send(errorEvent(429, 'websocket_connection_limit_reached', message));
      return this.#close(CLOSE.normal, 'The connection has been open for as long as it may');
    }
    const { turns, responses } = this.#context;
    if (event.generate === false) {
      const { last } = this.#turns;
      for (const each of await turns.run(warmUp(event, last, this.#context))) await this.#send(each);
      return;
    }
    const { signal } = this.#abort;
    const body = await turns.run(bodyOf(event, text));
    await answerTurn({ event, body }, responses(), this.#turns, {
      signal,
      send: (each) => this.#send(each),
    });
  }

  /** Resolves when the client has taken enough that more may be sent. */
  async #send(event: string): Promise<void> {
    if (this.#closed || !this.#socket) return;
    if (this.#socket.send(event) > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    const { clock, limits } = this.#context;
    const cancel = clock.after(limits.client_stall, () => this.#socket?.terminate());
    await promise;
    cancel();
  }

  #free(length: number): void {
    this.#length -= length;
    this.#held.free(length);
  }

  #waitIdle(): void {
    this.#cancelIdle();
    const { clock, limits } = this.#context;
    const leave = () => this.#close(CLOSE.normal, 'Nothing was asked for limits.realtime.idle');
    this.#cancelIdle = clock.after(limits.realtime.idle, leave);
  }

  #close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }
}
