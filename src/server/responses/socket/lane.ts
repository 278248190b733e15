import type { JsonObject } from '../../../wire/json.ts';
import type { LastAnswer } from '../last-answer.ts';

/** A message, read already where that was needed to know its lane. */
export interface Said {
  readonly text: string;
  readonly event?: JsonObject;
}

/** How requests of a lane are answered. */
export interface Answering {
  /** Answers one; it never throws. */
  readonly answer: (said: Said, lane: Lane) => Promise<void>;
  /** Told when nothing of a lane waits or is being answered any more. */
  readonly idle: () => void;
}

/** The requests of one lane, answered one after the other. */
export class Lane {
  /** `stream_id`; `undefined` for requests that name none. */
  readonly id: string | undefined;
  /** The answer that the next request may go on from. */
  readonly last: LastAnswer;
  readonly #answering: Answering;
  readonly #waiting: Said[] = [];
  #busy = false;

  constructor(id: string | undefined, last: LastAnswer, answering: Answering) {
    this.id = id;
    this.last = last;
    this.#answering = answering;
  }

  get busy(): boolean {
    return this.#busy;
  }

  push(said: Said): void {
    // What waits is read again when it is its turn.
    this.#waiting.push(this.#busy ? { text: said.text } : said);
    if (!this.#busy) void this.#work();
  }

  /** Nothing more is begun. */
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
