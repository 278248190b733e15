import type { ServerContext, ServerSocket, SocketHandler } from '../../context.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { TurnsOf } from './turn.ts';
import { toProxyError } from '../../../errors.ts';
import { isObject, parseJson } from '../../../wire/json.ts';
import { CLOSE } from '../../../wire/websocket/close.ts';
import { answerTurn, errorEvent } from './turn.ts';
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
  readonly #ended: () => void;
  readonly #abort = new AbortController();
  readonly #waiting: string[] = [];
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

  /** @param ended told once when it is closed */
  constructor(context: ServerContext, turns: TurnsOf, ended: () => void) {
    this.#context = context;
    this.#turns = turns;
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
    this.#length += text.length;
    if (this.#waiting.length >= MAX_WAITING || this.#length > 2 * this.#context.limits.max_body)
      return this.#close(CLOSE.policy, 'Too many requests wait for the one before them');
    this.#waiting.push(text);
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
      const text = this.#waiting.shift();
      if (text === undefined || this.#closed || this.#drains) break;
      this.#length -= text.length;
      await this.#turn(text);
    }
    this.#busy = false;
    if (this.#drains) this.drain();
    else this.#waitIdle();
  }

  async #turn(text: string): Promise<void> {
    const event = parseJson(text);
    if (!isObject(event))
      return this.#send(errorEvent(400, 'invalid_request', 'Cannot read the message: it is no JSON object'));
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
    try {
      await this.#answer(event);
    } catch (thrown) {
      const { rule, message, param } = toProxyError(thrown);
      await this.#send(errorEvent(rule.status, rule.code, message, param ?? null));
    }
  }

  async #answer(event: JsonObject): Promise<void> {
    const { last } = this.#turns;
    if (event.generate === false) {
      for (const each of warmUp(event, last, this.#context)) await this.#send(each);
      return;
    }
    const { signal } = this.#abort;
    await answerTurn(event, this.#context.responses(), this.#turns, {
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
