import type { RedisClient, RedisOptions } from 'bun';
import type { Redirect } from './cluster.ts';
import { redirectOf, slotOf, urlOf } from './cluster.ts';

export type ClientClass = new (url: string, options: RedisOptions) => RedisClient;

/** How many redirects a command follows. */
const MAX_REDIRECTS = 5;

/** Reconnecting is left to the link, and no command waits for a connection. */
const OPTIONS = { autoReconnect: false, enableOfflineQueue: false };

/**
 * The connection to a server. If it is a node of a cluster, also the connections to other nodes, which are opened when
 * a redirect names them.
 */
export class Nodes {
  readonly #url: string;
  readonly #make: (url: string) => RedisClient;
  readonly #first: RedisClient;
  /** The other nodes, by URL. */
  readonly #others = new Map<string, Promise<RedisClient>>();
  /** The URLs of the nodes for slots that the first node does not have. */
  readonly #slots = new Map<number, string>();
  #closed = false;

  /**
   * @param connectMs how long connecting may take, milliseconds
   * @param onClose called for each connection that ends, unless it was closed by {@link close}
   */
  constructor(url: string, Client: ClientClass, connectMs: number, onClose: (error: Error) => void) {
    this.#url = url;
    this.#make = (to) => {
      const client = new Client(to, { connectionTimeout: connectMs, ...OPTIONS });
      // It is not an EventTarget.
      // oxlint-disable-next-line unicorn/prefer-add-event-listener
      client.onclose = (error) => {
        if (!this.#closed) onClose(error);
      };
      return client;
    };
    this.#first = this.#make(url);
  }

  /** The URLs of the other nodes to which there are connections. */
  get others(): Iterable<string> {
    return this.#others.keys();
  }

  async connect(): Promise<void> {
    await this.#first.connect();
  }

  async ping(): Promise<void> {
    await this.#first.send('PING', []);
  }

  /** Sends a command on one key to the node that has it. */
  async send(key: string, command: string, args: string[]): Promise<unknown> {
    // Without a cluster, no slots are computed.
    const slot = this.#slots.size > 0 ? slotOf(key) : -1;
    let to = this.#slots.get(slot);
    let asks = false;
    for (let redirects = 0; ; redirects += 1) {
      const client = to === undefined ? this.#first : await this.#node(to);
      if (asks) client.send('ASKING', []).catch(() => undefined);
      try {
        return await client.send(command, args);
      } catch (thrown) {
        const redirect = thrown instanceof Error ? redirectOf(thrown.message) : undefined;
        if (!redirect || redirects >= MAX_REDIRECTS) throw thrown;
        to = this.#follow(key, redirect, to ?? this.#url);
        asks = !redirect.isForGood;
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#first.close();
    for (const other of this.#others.values())
      void other.then(
        (client) => client.close(),
        () => undefined,
      );
  }

  #follow(key: string, redirect: Redirect, from: string): string {
    const to = urlOf(from, redirect);
    if (redirect.isForGood) this.#slots.set(slotOf(key), to);
    return to;
  }

  #node(url: string): Promise<RedisClient> {
    if (url === new URL(this.#url).href) return Promise.resolve(this.#first);
    let node = this.#others.get(url);
    if (!node) {
      const client = this.#make(url);
      node = client.connect().then(() => client);
      this.#others.set(url, node);
    }
    return node;
  }
}
