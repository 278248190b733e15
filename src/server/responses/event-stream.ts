import type { Clock } from '../../clock.ts';
import type { Owner } from '../../stored/entries.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { StoredService } from './service.ts';
import { objectOf, parseJson } from '../../wire/json.ts';
import { eventText, lastEvent, replayedEvents } from '../../wire/responses/replayed.ts';

/** A response, and the position in its events. */
export interface Wanted {
  readonly owner: Owner;
  readonly id: string;
  /** The number of the last event that the client has; -1 for none. */
  readonly after: number;
  /** Whether the events are stored, or derived from the finished response. */
  readonly streams: boolean;
}

/** The polling interval for a response that runs in another process, milliseconds. */
const LOOK_MS = 250;

/** The number of polls without an event after which a comment keeps the connection alive. */
const QUIET_LOOKS = 40;

/** The last event of a stream. */
const LAST = /^event: response\.(?:completed|incomplete|failed)\n/;

const encoder = new TextEncoder();

type Controller = ReadableStreamDefaultController<Uint8Array>;

/**
 * The events of a stored response: those stored so far, and further ones as long as it runs. They are read only as fast
 * as the client takes them, and a client that disconnects affects only this stream.
 */
export class EventStream {
  readonly #wanted: Wanted;
  readonly #service: StoredService;
  readonly #clock: Clock;
  readonly #ended: () => void;
  #after: number;
  #over = false;
  /** The number of polls without an event; 0 only before anything was sent. */
  #quiet = 0;

  /** @param ended called once, however it ends */
  constructor(wanted: Wanted, service: StoredService, clock: Clock, ended: () => void) {
    this.#wanted = wanted;
    this.#service = service;
    this.#clock = clock;
    this.#ended = ended;
    this.#after = wanted.after;
  }

  body(): ReadableStream<Uint8Array> {
    const pull = (controller: Controller) => this.#pull(controller);
    return new ReadableStream({ pull, cancel: () => this.end() }, { highWaterMark: 0 });
  }

  /** Continues until something was sent, or nothing will be. */
  async #pull(controller: Controller): Promise<void> {
    const { owner, id } = this.#wanted;
    try {
      while (!(await this.#look(controller))) {
        // The first comment is sent at once, because headers are not sent before the body begins.
        if (this.#quiet++ % QUIET_LOOKS === 0) return this.#send(controller, ': keep-alive\n\n');
        await this.#service.background.changed(owner, id, LOOK_MS);
      }
    } catch {
      // The store does not answer: the stream is cut off, and does not look complete.
      this.end();
      controller.error();
    }
  }

  /** @returns whether something was sent, or nothing will be */
  async #look(controller: Controller): Promise<boolean> {
    const { owner, id } = this.#wanted;
    const { store } = this.#service;
    const got = await store.ask('background', 'events', owner, id, this.#after, this.#clock.now());
    if (this.#over) return true;
    const events = got?.events ?? [];
    if (events.length > 0) {
      this.#after += events.length;
      this.#quiet = 1;
      this.#send(controller, events.join(''));
      return true;
    }
    if (got?.isRunning) return false;
    const rest = got ? await this.#rest() : '';
    if (this.#over) return true;
    if (rest !== '') this.#send(controller, rest);
    this.end();
    controller.close();
    return true;
  }

  /** The remaining events of a finished response. */
  async #rest(): Promise<string> {
    const { owner, id, streams } = this.#wanted;
    const { store } = this.#service;
    const nowMs = this.#clock.now();
    const shown = await store.ask('responses', 'show', owner, id, nowMs);
    if (!shown) return '';
    const response: JsonObject = objectOf(parseJson(shown.body));
    if (!streams)
      return replayedEvents(response)
        .slice(this.#after + 1)
        .join('');
    const answer = await store.ask('background', 'events', owner, id, this.#after - 1, nowMs);
    // Its process may have been stopped before it could write the end.
    if (LAST.test(answer?.events[0] ?? '')) return '';
    return eventText({ ...lastEvent(response), sequence_number: this.#after + 1 });
  }

  #send(controller: Controller, text: string): void {
    controller.enqueue(encoder.encode(text));
  }

  /** The client has disconnected. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended();
  }
}
