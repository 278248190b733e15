import type { ServerContext, ServerSocket, SocketHandler } from '../../context.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { TurnsOf } from './turn.ts';
import type { Held } from '../last-answer.ts';
import type { Message } from './lane.ts';
import type { ProxyError } from '../../../errors.ts';
import { toProxyError } from '../../../errors.ts';
import { isUtf8 } from 'node:buffer';
import { CLOSE } from '../../../wire/websocket/close.ts';
import { boundsOf, readObject } from '../../json.ts';
import { LastAnswer } from '../last-answer.ts';
import { Lane } from './lane.ts';
import { Lanes, StreamLimit } from './lanes.ts';
import { Outgoing } from './outgoing.ts';
import { answerTurn, bodyOf, errorEvent, inLane } from './turn.ts';
import { warmUp } from './warm-up.ts';

/** The number and length, in characters, of queued requests: a client that sends more does not wait for answers. */
const MAX_WAITING = 64;

/** The field that determines the lane; a message that does not contain it has none. */
const NAMES_LANE = '"stream_id"';

/**
 * A connection of the Responses API: requests arrive as messages, and the events of answers are sent as messages. Each
 * is handled like a request over HTTP. Those of one lane are handled one after another, those of different lanes in
 * parallel.
 */
export class ResponsesSocket implements SocketHandler {
  readonly #context: ServerContext;
  readonly #turns: TurnsOf;
  /** The owner: a key, or an address if there are none. */
  readonly owner: string | undefined;
  readonly #held: Held;
  readonly #ended: () => void;
  readonly #abort = new AbortController();
  readonly #lanes: Lanes;
  readonly #outgoing: Outgoing;
  /** Messages that have no lane yet, and those that did not fit. */
  readonly #came: (string | ProxyError)[] = [];
  /** The length of all queued messages. */
  #count = 0;
  #length = 0;
  #sorts = false;
  #closed = false;
  /** Why it will be closed as soon as no request is in progress. */
  #leaving: { readonly code: number; readonly reason: string } | undefined;
  /** Whether it has reached its maximum age. */
  #old = false;
  #cancelIdle: () => void = () => undefined;
  readonly #cancelOld: () => void;

  /**
   * @param options.held the memory for queued messages
   * @param options.ended called once when it is closed
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
    const { clock, limits } = context;
    this.#outgoing = new Outgoing(clock, limits.client_stall);
    this.#lanes = new Lanes(limits.realtime.max_streams, (id) => {
      const last = new LastAnswer(limits.max_body, held, () => this.#lanes.answers());
      return new Lane(id, last, {
        answer: (received, lane) => this.#turn(received, lane),
        idle: () => this.#rest(),
      });
    });
    this.#cancelOld = clock.after(limits.realtime.duration, () => (this.#old = true));
  }

  opened(socket: ServerSocket): void {
    this.#outgoing.opened(socket);
    this.#rest();
  }

  message(message: string | Uint8Array): void {
    this.#cancelIdle();
    const text = typeof message === 'string' ? message : textOf(message);
    const length = this.#length + text.length;
    if (this.#count >= MAX_WAITING || length > 2 * this.#context.limits.max_body)
      return this.#outgoing.close(CLOSE.policy, 'Too many requests wait for the one before them');
    this.#count += 1;
    try {
      this.#held.take(text.length);
      this.#length = length;
      this.#came.push(text);
    } catch (thrown) {
      this.#came.push(toProxyError(thrown));
    }
    if (!this.#sorts) void this.#sort();
  }

  drained(): void {
    this.#outgoing.drained();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelIdle();
    this.#cancelOld();
    this.#abort.abort();
    this.#came.length = 0;
    this.#lanes.end();
    this.#free(this.#length);
    this.#outgoing.end();
    this.#ended();
  }

  /** The proxy stops: requests in progress are finished, and no others started. */
  drain(): void {
    this.#leave(CLOSE.goingAway, 'The proxy is being stopped');
  }

  /** Passes messages to their lanes, in order. */
  async #sort(): Promise<void> {
    this.#sorts = true;
    for (let next = this.#came.shift(); next !== undefined; next = this.#came.shift()) {
      try {
        if (typeof next !== 'string') throw next;
        const received = await this.#read(next);
        if (this.#closed || this.#leaving) break;
        this.#lanes.of(received.event?.stream_id).push(received);
      } catch (thrown) {
        this.#over(typeof next === 'string' ? next.length : 0);
        await this.#refuse(thrown, thrown instanceof StreamLimit ? thrown.stream : undefined);
      }
    }
    this.#sorts = false;
    this.#rest();
  }

  /** A message, parsed if that determines its lane. */
  async #read(text: string): Promise<Message> {
    if (!text.includes(NAMES_LANE)) return { text };
    const { turns, limits } = this.#context;
    return { text, event: await turns.run(readObject(text, boundsOf(limits))) };
  }

  async #turn({ text, event: known }: Message, lane: Lane): Promise<void> {
    // From here on its body is counted like that of any request.
    this.#over(text.length);
    try {
      const { turns, limits } = this.#context;
      const event = known ?? (await turns.run(readObject(text, boundsOf(limits))));
      await this.#create(event, text, lane);
    } catch (thrown) {
      await this.#refuse(thrown, lane.id);
    }
  }

  async #create(event: JsonObject, text: string, { id, last }: Lane): Promise<void> {
    const send = (each: string) => this.#outgoing.send(inLane(each, id));
    if (event.type !== 'response.create') {
      const known = 'Cannot read the message: its type must be "response.create"';
      return await send(errorEvent(400, 'invalid_request', known, 'type'));
    }
    if (this.#old) {
      const message =
        'The connection has reached its maximum age (limits.realtime.duration): open another one';
      await send(errorEvent(429, 'websocket_connection_limit_reached', message));
      return this.#leave(CLOSE.normal, 'The connection has reached its maximum age');
    }
    const { turns, responses } = this.#context;
    if (event.generate === false) {
      for (const each of await turns.run(warmUp(event, last, this.#context))) await send(each);
      return;
    }
    const { signal } = this.#abort;
    const body = await turns.run(bodyOf(event, text));
    await answerTurn({ event, body, last }, responses(), this.#turns, { signal, send, pause: turns.pause });
  }

  async #refuse(thrown: unknown, lane: string | undefined): Promise<void> {
    const { rule, message, param } = toProxyError(thrown);
    const code = thrown instanceof StreamLimit ? 'websocket_stream_limit_reached' : rule.code;
    await this.#outgoing.send(inLane(errorEvent(rule.status, code, message, param ?? null), lane));
  }

  /** A queued message has left the queue. */
  #over(length: number): void {
    if (this.#closed) return;
    this.#count -= 1;
    this.#free(length);
  }

  #free(length: number): void {
    this.#length -= length;
    this.#held.free(length);
  }

  /** Starts no further requests, and lets those in progress finish. */
  #leave(code: number, reason: string): void {
    this.#leaving ??= { code, reason };
    this.#came.length = 0;
    this.#lanes.clear();
    this.#rest();
  }

  /** When no request is in progress, the connection is closed, or waits for the next one for a limited time. */
  #rest(): void {
    if (this.#closed || this.#sorts || this.#lanes.busy) return;
    if (this.#leaving) return this.#outgoing.close(this.#leaving.code, this.#leaving.reason);
    this.#cancelIdle();
    const { clock, limits } = this.#context;
    const leave = () => this.#outgoing.close(CLOSE.normal, 'No request arrived for limits.realtime.idle');
    this.#cancelIdle = clock.after(limits.realtime.idle, leave);
  }
}

/** A binary message as text. What is not UTF-8 is not JSON either, and would take long to decode. */
function textOf(message: Uint8Array): string {
  return isUtf8(message) ? new TextDecoder().decode(message) : '\ufffd';
}
