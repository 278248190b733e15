import type { LastAnswer } from '../last-answer.ts';
import { ProxyError } from '../../../errors.ts';
import type { Lane } from './lane.ts';

/** What a `stream_id` may be, as OpenAI publishes it. */
const ID = /^[\w.-]{1,256}$/;

/** All lanes that there may be are busy. */
export class StreamLimit extends ProxyError {
  readonly stream: string;

  constructor(stream: string) {
    const message =
      'Cannot begin another stream: this connection has as many as it may have (limits.realtime.max_streams)';
    super('invalid_request', message, { param: 'stream_id' });
    this.stream = stream;
  }
}

/** The lanes of a connection: requests of different ones are answered side by side. */
export class Lanes {
  /** Whoever was asked last comes last. */
  readonly #lanes = new Map<string | undefined, Lane>();
  readonly #most: number;
  readonly #make: (id: string | undefined) => Lane;

  /** @param most beside the lane of requests that name none */
  constructor(most: number, make: (id: string | undefined) => Lane) {
    this.#most = most;
    this.#make = make;
  }

  get busy(): boolean {
    return this.#lanes.values().some((lane) => lane.busy);
  }

  /** The answers that requests of any lane may go on from. */
  *answers(): Iterable<LastAnswer> {
    for (const { last } of this.#lanes.values()) yield last;
  }

  /**
   * The lane of this id. Where there are as many as there may be, one that lies idle is forgotten, with its last answer.
   * @throws ProxyError `invalid_request` for what is no id; StreamLimit when all of them are busy
   */
  of(id: unknown): Lane {
    if (id !== undefined && id !== null && !(typeof id === 'string' && ID.test(id)))
      throw new ProxyError(
        'invalid_request',
        'Cannot read stream_id: expected 1 to 256 letters, digits, "_", "." or "-"',
        { param: 'stream_id' },
      );
    const known = this.#lanes.get(id ?? undefined);
    const lane = known ?? this.#begin(id ?? undefined);
    this.#lanes.delete(lane.id);
    this.#lanes.set(lane.id, lane);
    return lane;
  }

  /** Nothing more is begun in any of them. */
  clear(): void {
    for (const lane of this.#lanes.values()) lane.clear();
  }

  /** The connection is closed. */
  end(): void {
    this.clear();
    for (const { last } of this.#lanes.values()) last.end();
  }

  #begin(id: string | undefined): Lane {
    if (id === undefined) return this.#make(id);
    const named = [...this.#lanes.values()].filter((lane) => lane.id !== undefined);
    if (named.length >= this.#most) {
      const idle = named.find(({ busy }) => !busy);
      if (!idle) throw new StreamLimit(id);
      this.#lanes.delete(idle.id);
      idle.last.end();
    }
    return this.#make(id);
  }
}
