import type { RedisClient } from 'bun';
import type { Clock } from '../clock.ts';

export interface LinkOptions {
  readonly url: string;
  /** The longest that an answer is waited for, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Told when the server answers, at first and again. */
  readonly onUp: () => void;
  /** Told once when it no longer does, or did not at first. */
  readonly onDown: (reason: string) => void;
}

/** A script that runs on the server, and the hash by which the server knows it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export function scriptOf(text: string): Script {
  return { text, sha1: new Bun.CryptoHasher('sha1').update(text).digest('hex') };
}

/** What the server answers: numbers and texts, in lists. */
export type Answer = number | string | null | readonly Answer[];

/** How long until a server that did not answer is tried again, milliseconds; twice as long each time that it fails again. One that was well is tried at once. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 8_000;

/** A timer that runs so much later than it should says that this process was held up, milliseconds. */
const LATE_MS = 10;

/** Who has answered for so long is well, milliseconds. */
const WELL_MS = 10_000;

/** Connecting takes several round trips where TLS is spoken, milliseconds. */
const CONNECT_MS = 5_000;

/** The server cannot be asked now. */
export class LinkDown extends Error {}

/**
 * The connection to Redis or Valkey. A server that is frozen keeps a command waiting for good, so each has a deadline of its own. The
 * first that misses it ends the connection: from then on nobody waits, until the server has answered in the background.
 */
export class Link {
  readonly #options: LinkOptions;
  #client: RedisClient | undefined;
  #up = false;
  #closed = false;
  #told = false;
  #upMs = Infinity;
  #retryMs = 0;
  #cancel: (() => void) | undefined;
  #again: Promise<void> | undefined;
  /** How often the server failed. */
  failures = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Whether commands are sent. */
  get up(): boolean {
    return this.#up;
  }

  /** For how long they have been, milliseconds; 0 where they are not. */
  get upForMs(): number {
    return this.#up ? this.#options.clock.monotonic() - this.#upMs : 0;
  }

  /** The first attempt to reach a server again that was well until now, for as long as it is worth waiting for: an answer may only have been late. */
  get again(): Promise<void> | undefined {
    return this.#again;
  }

  /** Connects, and goes on trying. Resolves after the first try, whatever came of it. */
  async open(): Promise<void> {
    this.#cancel?.();
    this.#drop();
    const { url, timeoutMs } = this.#options;
    // Nothing is loaded for those who have no such server.
    const { RedisClient: Client } = await import('bun');
    if (this.#closed) return;
    const client = new Client(url, {
      connectionTimeout: CONNECT_MS,
      autoReconnect: false,
      enableOfflineQueue: false,
    });
    this.#client = client;
    // It is no EventTarget.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onclose = (error) => this.#fail(client, error);
    try {
      await this.#within(CONNECT_MS, client.connect());
      await this.#within(timeoutMs, client.send('PING', []));
    } catch (thrown) {
      this.#fail(client, thrown);
      return;
    }
    if (this.#client !== client) return;
    this.#up = true;
    this.#upMs = this.#options.clock.monotonic();
    this.#told = false;
    this.#options.onUp();
  }

  /**
   * Runs a script on one key.
   * @param read makes something of the answer
   * @throws LinkDown when there is no answer in time, or none that can be used
   */
  async run<T>(
    script: Script,
    key: string,
    args: readonly string[],
    read: (answer: Answer) => T,
  ): Promise<T> {
    const client = this.#client;
    if (!this.#up || !client) throw new LinkDown('the server is away');
    const ask = async (command: string, by: string): Promise<T> =>
      read(await this.#within(this.#options.timeoutMs, client.send(command, [by, '1', key, ...args])));
    try {
      return await ask('EVALSHA', script.sha1).catch(async (thrown: unknown) => {
        // A server that has been restarted knows no scripts.
        if (!messageOf(thrown).startsWith('NOSCRIPT')) throw thrown;
        return await ask('EVAL', script.text);
      });
    } catch (thrown) {
      this.#fail(client, thrown);
      throw new LinkDown(messageOf(thrown), { cause: thrown });
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#drop();
  }

  #fail(client: RedisClient, thrown: unknown): void {
    if (this.#client !== client || this.#closed) return;
    const { clock } = this.#options;
    // One that answers a greeting and nothing else would hold somebody up each time.
    const wasWell = this.#up && clock.monotonic() - this.#upMs >= WELL_MS;
    this.#drop();
    this.failures += 1;
    if (wasWell) {
      this.#retryMs = 0;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(2 * this.#options.timeoutMs, resolve);
      this.#again = Promise.race([this.open(), late]).finally(() => {
        cancel();
        this.#again = undefined;
      });
      return;
    }
    this.#retryMs = Math.min(Math.max(2 * this.#retryMs, RETRY_MS), MAX_RETRY_MS);
    this.#cancel = clock.after(this.#retryMs, () => void this.open());
    if (this.#told) return;
    this.#told = true;
    this.#options.onDown(messageOf(thrown));
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#up = false;
    if (!client) return;
    client.close();
  }

  #within<T>(ms: number, answer: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const miss = () => reject(new Error(`no answer within ${ms} ms`));
    const dueMs = clock.monotonic() + ms;
    let cancel = clock.after(ms, () => {
      // Where this process itself was held up, the answer may be there and only wait to be read.
      if (clock.monotonic() < dueMs + LATE_MS) miss();
      else cancel = clock.after(ms, miss);
    });
    // What comes too late, or fails then, has nobody who waits for it.
    void answer.then(resolve, reject).finally(() => cancel());
    return promise;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
