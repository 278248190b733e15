import type { RedisClient, RedisOptions } from 'bun';
import type { Redirect } from './cluster.ts';
import { redirectOf, slotOf, urlOf } from './cluster.ts';

export type ClientClass = new (url: string, options: RedisOptions) => RedisClient;

/** How often a command follows a cluster from node to node: more only happens to one that is being rebuilt. */
const MAX_REDIRECTS = 5;

/** Connects once, and lets nothing wait for a connection. */
const OPTIONS = { autoReconnect: false, enableOfflineQueue: false };

/**
 * The connection to a server; where that is a node of a cluster, also those to the other nodes, which are made when a node says that
 * another one has a key. If one of them ends, all end.
 */
export class Nodes {
  readonly #url: string;
  readonly #make: (url: string) => RedisClient;
  readonly #first: RedisClient;
  /** The other nodes, by URL. */
  readonly #others = new Map<string, Promise<RedisClient>>();
  /** Where the slots are that another node has, as a URL. */
  readonly #slots = new Map<number, string>();
  #closed = false;

  /**
   * @param connectMs how long connecting may take, milliseconds
   * @param onClose told of each connection that ends, unless it was closed here
   */
  constructor(url: string, Client: ClientClass, connectMs: number, onClose: (error: Error) => void) {
    this.#url = url;
    this.#make = (to) => {
      const client = new Client(to, { connectionTimeout: connectMs, ...OPTIONS });
      // It is no EventTarget.
      // oxlint-disable-next-line unicorn/prefer-add-event-listener
      client.onclose = (error) => {
        if (!this.#closed) onClose(error);
      };
      return client;
    };
    this.#first = this.#make(url);
  }

  /** The URLs of the other nodes that are known. */
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
    // One that is alone is never asked for slots.
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
