import type { Clock } from '../../clock.ts';
import type { Streamed } from '../attempts/attempting.ts';
import type { StreamBudget, WatchedStream } from './stream-budget.ts';
import type { Steps, Turns } from '../../turns.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { isSteps } from '../../turns.ts';
import { EventList } from '../../wire/long-events.ts';
import type { StreamForm } from '../../wire/stream-form.ts';
import { keepAlive, Reforming } from '../../wire/stream-form.ts';
import { HELD_BY_STREAM } from './stream-budget.ts';

/** How a committed stream ended. */
export type StreamEnd =
  | { readonly outcome: 'success' }
  | { readonly outcome: 'truncated'; readonly error: ProxyError }
  | { readonly outcome: 'client_abort'; readonly error: ProxyError };

/** The target whose answer is sent. */
export interface StreamOwner {
  /** The stream broke: the rest of it from another target, or `undefined` when there is none. */
  resume(error: ProxyError): Promise<Streamed | undefined>;
  /** Why a healthy stream must not continue. */
  overuse(): ProxyError | undefined;
  /** Called once, however the stream ends. @param sent the number of bytes sent to the client */
  ended(end: StreamEnd, sent: number): void;
  /** The client took nothing for too long. */
  stalled(): void;
}

export interface PumpOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  /** The id by which the client finds an error in the log. */
  readonly requestId: string;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
  /** The silence after which a comment keeps the connection alive, milliseconds; 0 for never. */
  readonly keepaliveMs: number;
  /** How long the client may take nothing, milliseconds. */
  readonly stallMs: number;
  /** The memory of all streams. */
  readonly budget: StreamBudget;
  /** The form of the events for the client. */
  readonly form: StreamForm;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** How much is sent at once, bytes: the server copies it. */
const MOST_SENT = 1024 * 1024;

/**
 * The committed answer as the body for the client. It is read only as fast as the client takes it. It ends in one of
 * three ways: complete, with an error event in the client's protocol, or because the client disconnects; an interrupted
 * stream never looks complete.
 */
export class Pump implements WatchedStream {
  readonly held = HELD_BY_STREAM;
  readonly #options: PumpOptions;
  readonly #owner: StreamOwner;
  readonly #reforming: Reforming | undefined;
  #streamed: Streamed;
  #held: Uint8Array | undefined;
  /** The rest of what is being sent, and whether the answer is complete with it. */
  #unsent: Uint8Array | undefined;
  #completes = false;
  #sent = 0;
  #over = false;
  /** Whether the client has closed the connection. */
  #left = false;
  /** Whether the client has taken everything, and waits. */
  #wanted = false;
  /** What is sent if the provider is silent. */
  readonly #keepAlive: string;
  /** When something was last sent or requested. */
  #movedMs: number;
  #cancelLook = (): void => undefined;
  #controller: Controller | undefined;

  constructor(streamed: Streamed, owner: StreamOwner, options: PumpOptions) {
    this.#options = options;
    this.#owner = owner;
    this.#streamed = streamed;
    this.#held = streamed.held;
    this.#movedMs = options.clock.monotonic();
    this.#keepAlive = keepAlive(options.form, streamed.held);
    // An answer that is not parsed has no events.
    const { form } = options;
    this.#reforming = form === 'events' || !streamed.flow.tap ? undefined : new Reforming(form);
  }

  get waits(): boolean {
    return this.#wanted;
  }

  get sent(): number {
    return this.#sent;
  }

  get kept(): number {
    return this.#streamed.flow.tap?.kept ?? 0;
  }

  stopRecording(): void {
    this.#streamed.flow.tap?.discard();
  }

  start(controller: Controller): void {
    this.#controller = controller;
    this.#options.budget.add(this);
    this.#scheduleLook(controller, this.#everyMs);
  }

  /** Continues until something was sent or the stream is over. */
  async pull(controller: Controller): Promise<void> {
    this.#movedMs = this.#options.clock.monotonic();
    this.#wanted = true;
    while (!this.#over) {
      if (this.#unsent) {
        this.#goOn(controller, this.#unsent);
        break;
      }
      try {
        const bytes = this.#held ?? (await this.#streamed.flow.next());
        this.#held = undefined;
        if (this.#over) break;
        if (this.#took(controller, bytes)) break;
      } catch (thrown) {
        if (this.#over) break;
        if (this.#isClosed) {
          this.#complete(controller);
          break;
        }
        const error = toProxyError(thrown).reworded(this.#options.mask);
        if (!(await this.#resume(error))) this.#fail(controller, error);
      }
    }
    this.#wanted = false;
  }

  /** Whether the client has all of the answer, so that only a terminator could follow. */
  get #isClosed(): boolean {
    return this.#streamed.flow.tap?.closed ?? false;
  }

  /** Sends the next piece of what is being sent. */
  #goOn(controller: Controller, unsent: Uint8Array): void {
    this.#sendPiece(controller, unsent);
    if (this.#completes) this.#completeWithRest(controller);
  }

  #completeWithRest(controller: Controller): void {
    this.#completes = this.#unsent !== undefined;
    if (!this.#completes) this.#complete(controller);
  }

  #complete(controller: Controller): void {
    this.#close(controller);
    this.#end({ outcome: 'success' });
    controller.close();
    void this.#streamed.flow.drain();
  }

  async cancel(): Promise<void> {
    this.#left = true;
    // Some clients disconnect at the last event, whatever may follow.
    if (this.#isClosed && !this.#unsent) {
      this.#end({ outcome: 'success' });
      return await this.#streamed.flow.drain();
    }
    const message = 'Cannot finish the answer: the client closed the connection';
    const error = new ProxyError('client_abort', message);
    this.#end({ outcome: 'client_abort', error });
    await this.#streamed.flow.cancel(error);
  }

  /**
   * Sends received bytes; without bytes the upstream has ended, and the remaining ones are sent.
   * @returns whether the client has something to read, or all of the answer
   * @throws ProxyError when the stream broke
   */
  #took(controller: Controller, bytes: Uint8Array | undefined): boolean {
    const { flow } = this.#streamed;
    const last = bytes === undefined || (flow.tap?.done ?? false);
    const some = bytes ?? flow.finish();
    const sends = some !== undefined && some.length > 0 && this.#send(controller, some);
    if (last) this.#completeWithRest(controller);
    const over = last || this.#isClosed ? undefined : this.#owner.overuse();
    if (over) this.#stop(controller, over);
    return last || sends || over !== undefined;
  }

  #stop(controller: Controller, error: ProxyError): void {
    const { flow } = this.#streamed;
    this.#fail(controller, error);
    void flow.cancel(error);
  }

  async #resume(error: ProxyError): Promise<boolean> {
    const broken = this.#streamed;
    broken.release();
    void broken.flow.cancel(error);
    const rest = await this.#rest(error);
    if (!rest) return false;
    this.#streamed = rest;
    this.#held = rest.held;
    return true;
  }

  /** An internal error while continuing must not leave the client, or the record, without an end. */
  async #rest(error: ProxyError): Promise<Streamed | undefined> {
    try {
      return await this.#owner.resume(error);
    } catch {
      return undefined;
    }
  }

  #fail(controller: Controller, error: ProxyError): void {
    if (this.#over) return;
    const left = error.fault === 'client_abort';
    this.#end(left ? { outcome: 'client_abort', error } : { outcome: 'truncated', error });
    if (left) return controller.close();
    this.#tell(controller, error);
  }

  /** The end of a failed stream: an error event, or an aborted connection if the answer has no events. */
  #tell(controller: Controller, error: ProxyError): void {
    const { flow } = this.#streamed;
    // Any error aborts the connection, and Bun would print one with a stack on stderr.
    if (!flow.tap) return controller.error();
    const events = new EventList();
    events.add(flow.fail(error, this.#options.requestId));
    const encoded = events.encoded();
    if (isSteps(encoded)) void this.#conclude(controller, encoded);
    else this.#sendLast(controller, encoded ?? new Uint8Array());
  }

  /** Sends last events that take long to write: some repeat the answer. */
  async #conclude(controller: Controller, encoded: Steps<Uint8Array>): Promise<void> {
    const bytes = await this.#options.turns.run(encoded);
    if (!this.#left) this.#sendLast(controller, bytes);
  }

  #sendLast(controller: Controller, events: Uint8Array): void {
    this.#send(controller, events);
    this.#flush(controller);
    this.#close(controller);
    controller.close();
  }

  /** Sends whole events. @returns whether there was anything to send */
  #send(controller: Controller, events: Uint8Array): boolean {
    const bytes = this.#reforming ? this.#reforming.push(events) : events;
    if (bytes.length > 0) this.#sendPiece(controller, bytes);
    return bytes.length > 0;
  }

  #sendPiece(controller: Controller, bytes: Uint8Array): void {
    this.#unsent = undefined;
    this.#enqueue(controller, bytes.length > MOST_SENT ? bytes.subarray(0, MOST_SENT) : bytes);
    if (bytes.length > MOST_SENT) this.#unsent = bytes.subarray(MOST_SENT);
  }

  /** The end of the stream, in forms that have one. */
  #close(controller: Controller): void {
    const bytes = this.#reforming?.end();
    if (bytes && bytes.length > 0) this.#enqueue(controller, bytes);
  }

  /** Sends the rest of what is being sent. */
  #flush(controller: Controller): void {
    const rest = this.#unsent;
    this.#unsent = undefined;
    if (rest) this.#enqueue(controller, rest);
  }

  #enqueue(controller: Controller, bytes: Uint8Array): void {
    // An event must not begin within another.
    this.#flush(controller);
    this.#movedMs = this.#options.clock.monotonic();
    this.#sent += bytes.length;
    controller.enqueue(bytes);
  }

  #end(how: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelLook();
    this.#options.budget.delete(this);
    this.#streamed.release();
    this.#owner.ended(how, this.#sent);
  }

  /** Comments fill the provider's silence; that of the client is limited. */
  #look(controller: Controller): void {
    const { keepaliveMs, stallMs, clock } = this.#options;
    const quietMs = clock.monotonic() - this.#movedMs;
    const waits = this.#wanted && (controller.desiredSize ?? 0) > 0;
    if (!waits && quietMs >= stallMs) return this.#stall('the client read nothing for limits.client_stall');
    const comments = waits && keepaliveMs > 0 && this.#streamed.flow.tap !== undefined;
    if (comments && quietMs >= keepaliveMs)
      this.#enqueue(controller, new TextEncoder().encode(this.#keepAlive));
    const everyMs = this.#everyMs;
    this.#scheduleLook(controller, quietMs >= everyMs ? everyMs : everyMs - quietMs);
  }

  /** The shorter of the two silences. */
  get #everyMs(): number {
    const { keepaliveMs, stallMs } = this.#options;
    return Math.min(stallMs, keepaliveMs || stallMs);
  }

  #scheduleLook(controller: Controller, ms: number): void {
    this.#cancelLook = this.#options.clock.after(Math.max(1, ms), () => this.#look(controller));
  }

  cut(): void {
    this.#stall('the client reads less than others, and too much is held for all (limits.max_unread)');
  }

  #stall(state: string): void {
    const controller = this.#controller;
    if (this.#over || !controller) return;
    const error = new ProxyError('client_stall', `Cannot finish the answer: ${state}`);
    const { flow } = this.#streamed;
    this.#end({ outcome: 'client_abort', error });
    this.#tell(controller, error);
    void flow.cancel(error);
    this.#owner.stalled();
  }
}
