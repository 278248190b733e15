import type { LastAnswer } from '../last-answer.ts';
import { ProxyError } from '../../../errors.ts';
import type { Lane } from './lane.ts';

/** The form of a `stream_id`, as OpenAI documents it. */
const ID = /^[\w.-]{1,256}$/;

/** Thrown when all lanes are in use. */
export class StreamLimit extends ProxyError {
  readonly stream: string;

  constructor(stream: string) {
    const message =
      'Cannot begin another stream: this connection has the most allowed (limits.realtime.max_streams)';
    super('invalid_request', message, { param: 'stream_id' });
    this.stream = stream;
  }
}

/** The lanes of a connection: requests of different lanes are handled in parallel. */
export class Lanes {
  /** Least recently used first. */
  readonly #lanes = new Map<string | undefined, Lane>();
  readonly #most: number;
  readonly #make: (id: string | undefined) => Lane;

  /** @param most besides the lane of requests without an id */
  constructor(most: number, make: (id: string | undefined) => Lane) {
    this.#most = most;
    this.#make = make;
  }

  get busy(): boolean {
    return this.#lanes.values().some((lane) => lane.busy);
  }

  /** The answers that requests of any lane may continue. */
  *answers(): Iterable<LastAnswer> {
    for (const { last } of this.#lanes.values()) yield last;
  }

  /**
   * The lane with this id. If the limit is reached, an idle one is dropped, with its last answer.
   * @throws ProxyError `invalid_request` for an invalid id; StreamLimit when all lanes are busy
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

  /** Starts no further requests in any of them. */
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
