import type { JsonObject } from '../../../wire/json.ts';
import type { LastAnswer } from '../last-answer.ts';

/** A message, already parsed if that was needed to determine its lane. */
export interface Message {
  readonly text: string;
  readonly event?: JsonObject;
}

/** How the requests of a lane are handled. */
export interface Answering {
  /** Handles one; it never throws. */
  readonly answer: (message: Message, lane: Lane) => Promise<void>;
  /** Called when no request of the lane is queued or in progress. */
  readonly idle: () => void;
}

/** The requests of one lane, handled one after another. */
export class Lane {
  /** `stream_id`; `undefined` for requests without one. */
  readonly id: string | undefined;
  /** The answer that the next request may continue. */
  readonly last: LastAnswer;
  readonly #answering: Answering;
  readonly #waiting: Message[] = [];
  #busy = false;

  constructor(id: string | undefined, last: LastAnswer, answering: Answering) {
    this.id = id;
    this.last = last;
    this.#answering = answering;
  }

  get busy(): boolean {
    return this.#busy;
  }

  push(message: Message): void {
    // A queued message is parsed again when it is its turn.
    this.#waiting.push(this.#busy ? { text: message.text } : message);
    if (!this.#busy) void this.#work();
  }

  /** Starts no further requests. */
  clear(): void {
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    const { answer, idle } = this.#answering;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await answer(next, this);
    this.#busy = false;
    idle();
  }
}
