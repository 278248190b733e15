import type { Clock } from '../clock.ts';
import { Nodes } from './nodes.ts';

export interface LinkOptions {
  readonly url: string;
  /** The timeout of a command, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Called when the server answers, at first and again. */
  readonly onUp: () => void;
  /** Called once when it no longer does, or did not at first. */
  readonly onDown: (reason: string) => void;
}

/** A script that runs on the server, and the hash by which the server identifies it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export function scriptOf(text: string): Script {
  return { text, sha1: new Bun.CryptoHasher('sha1').update(text).digest('hex') };
}

/** A reply: numbers and texts, in lists. */
export type Answer = number | string | null | readonly Answer[];

/**
 * The delay before a failed server is tried again, milliseconds; doubled after each failure. The first retry is
 * immediate.
 */
const RETRY_MS = 250;
const MAX_RETRY_MS = 2_000;

/** A timer that is this late shows that the process itself was blocked, milliseconds. */
const LATE_MS = 10;

/** The shortest time between two immediate retries, milliseconds. */
const WELL_MS = 10_000;

/** The number of cluster nodes that are tried. */
const MAX_URLS = 32;

/** The timeout for connecting, which takes several round trips with TLS, milliseconds. */
const CONNECT_MS = 5_000;

/** The server is not available. */
export class LinkDown extends Error {}

/**
 * The connection to Redis or Valkey. A frozen server would block a command for ever, so each has a timeout. The first
 * one that expires closes the connection: from then on commands fail at once, until the server has answered in the
 * background.
 */
export class Link {
  readonly #options: LinkOptions;
  #nodes: Nodes | undefined;
  /** The possible addresses of the server: the configured one, and nodes of its cluster. The first is tried next. */
  #urls: string[];
  #up = false;
  #closed = false;
  #reported = false;
  #upMs = Infinity;
  #retryMs = 0;
  #cancel: (() => void) | undefined;
  #again: Promise<void> | undefined;
  /** The time of the last immediate retry. */
  #againMs = -Infinity;
  /** The number of failures. */
  failures = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#urls = [options.url];
  }

  /** Whether commands are sent. */
  get up(): boolean {
    return this.#up;
  }

  /** For how long they have been, milliseconds; 0 if they are not. */
  get upForMs(): number {
    return this.#up ? this.#options.clock.monotonic() - this.#upMs : 0;
  }

  /** The immediate retry, as long as waiting for it is worthwhile: perhaps only one reply was late. */
  get again(): Promise<void> | undefined {
    return this.#again;
  }

  /** Connects, and keeps trying. Resolves after the first attempt, whatever its result. */
  async open(): Promise<void> {
    this.#cancel?.();
    this.#drop();
    const { timeoutMs } = this.#options;
    // Only loaded if there is such a server.
    const { RedisClient: Client } = await import('bun');
    if (this.#closed) return;
    const nodes: Nodes = new Nodes(this.#urls[0]!, Client, CONNECT_MS, (error) => this.#fail(nodes, error));
    this.#nodes = nodes;
    try {
      await this.#within(CONNECT_MS, nodes.connect());
      await this.#within(timeoutMs, nodes.ping());
    } catch (thrown) {
      this.#fail(nodes, thrown);
      return;
    }
    if (this.#nodes !== nodes) return;
    this.#up = true;
    this.#upMs = this.#options.clock.monotonic();
    this.#reported = false;
    this.#options.onUp();
  }

  /**
   * Runs a script on one key.
   * @param read decodes the reply
   * @throws LinkDown when there is no valid reply in time
   */
  async run<T>(
    script: Script,
    key: string,
    args: readonly string[],
    read: (answer: Answer) => T,
  ): Promise<T> {
    const nodes = this.#nodes;
    if (!this.#up || !nodes) throw new LinkDown('the server is unavailable');
    const ask = async (command: string, by: string): Promise<T> =>
      read(
        (await this.#within(
          this.#options.timeoutMs,
          nodes.send(key, command, [by, '1', key, ...args]),
        )) as Answer,
      );
    try {
      return await ask('EVALSHA', script.sha1).catch(async (thrown: unknown) => {
        // A restarted server has no scripts.
        if (!messageOf(thrown).startsWith('NOSCRIPT')) throw thrown;
        return await ask('EVAL', script.text);
      });
    } catch (thrown) {
      this.#fail(nodes, thrown);
      throw new LinkDown(messageOf(thrown), { cause: thrown });
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#drop();
  }

  #fail(nodes: Nodes, thrown: unknown): void {
    if (this.#nodes !== nodes || this.#closed) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    // A server that accepts connections and then hangs would delay requests each time.
    const triesAtOnce = this.#up && nowMs - this.#againMs >= WELL_MS;
    // Another node of the cluster may be available when the first one is not.
    const known = new Set([...this.#urls.slice(1), this.#urls[0]!, ...nodes.others].slice(0, MAX_URLS));
    this.#urls = [...known.add(this.#options.url)];
    this.#drop();
    this.failures += 1;
    if (triesAtOnce) {
      this.#againMs = nowMs;
      this.#retryMs = 0;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(2 * this.#options.timeoutMs, () => {
        // A server that hangs accepts connections as well.
        if (!this.#up) this.#tell(thrown);
        resolve();
      });
      this.#again = Promise.race([this.open(), late]).finally(() => {
        cancel();
        this.#again = undefined;
      });
      return;
    }
    this.#retryMs = Math.min(Math.max(2 * this.#retryMs, RETRY_MS), MAX_RETRY_MS);
    this.#cancel = clock.after(this.#retryMs, () => void this.open());
    this.#tell(thrown);
  }

  #tell(reason: unknown): void {
    if (this.#reported || this.#closed) return;
    this.#reported = true;
    this.#options.onDown(messageOf(reason));
  }

  #drop(): void {
    this.#nodes?.close();
    this.#nodes = undefined;
    this.#up = false;
  }

  #within<T>(ms: number, answer: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const miss = () => reject(new Error(`no answer within ${ms} ms`));
    const dueMs = clock.monotonic() + ms;
    let cancel = clock.after(ms, () => {
      // If this process was blocked, the reply may have arrived without having been read.
      if (clock.monotonic() < dueMs + LATE_MS) miss();
      else cancel = clock.after(ms, miss);
    });
    // A late reply, or a late error, has no receiver.
    void answer.then(resolve, reject).finally(() => cancel());
    return promise;
  }
}

function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // A Sentinel supports neither.
  return /unknown command\W+EVAL/i.test(message)
    ? `${message}: it runs no scripts; if it is a Sentinel, name the server that it watches`
    : message;
}
