import type { Socket } from 'bun';

interface End {
  readonly queue: Buffer[];
  other: Socket<End> | undefined;
}

/**
 * A cable between a client and a server on loopback that a test can cut: connections stay open, but no data gets
 * through.
 */
export class Cable implements Disposable {
  readonly #listener;
  readonly #sockets = new Set<Socket<End>>();
  #isCut = false;
  #to: number;

  /** @param to the port of the server */
  constructor(to: number) {
    this.#to = to;
    const ended = (socket: Socket<End>) => {
      this.#sockets.delete(socket);
      // While the cable is cut, neither side learns that the other has closed.
      if (!this.#isCut) socket.data.other?.end();
    };
    const socket = {
      data: (from: Socket<End>, bytes: Buffer) => this.#pass(from, Buffer.from(bytes)),
      drain: (to: Socket<End>) => this.#flush(to),
      close: ended,
      error: ended,
    };
    this.#listener = Bun.listen<End>({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        ...socket,
        open: (client) => {
          client.data = { queue: [], other: undefined };
          this.#sockets.add(client);
          void this.#connect(client, socket);
        },
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Stops all data from now on. */
  cut(): void {
    this.#isCut = true;
  }

  /** Delivers the data sent in the meantime, and lets data through again. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) this.#flush(socket);
  }

  /** Connects to another server from now on, and ends connections to the previous one. */
  plug(to: number): void {
    this.#to = to;
    for (const socket of this.#sockets) socket.terminate();
  }

  async #connect(client: Socket<End>, socket: object): Promise<void> {
    try {
      const server = await Bun.connect<End>({
        hostname: '127.0.0.1',
        port: this.#to,
        data: { queue: [], other: client },
        socket,
      });
      this.#sockets.add(server);
      // Data that the client has sent in the meantime is queued there.
      server.data.queue.unshift(...client.data.queue.splice(0));
      client.data.other = server;
      this.#flush(server);
    } catch {
      client.terminate();
    }
  }

  #pass(from: Socket<End>, bytes: Buffer): void {
    const { other } = from.data;
    if (!other) return void from.data.queue.push(bytes);
    other.data.queue.push(bytes);
    this.#flush(other);
  }

  #flush(to: Socket<End>): void {
    const { queue, other } = to.data;
    if (this.#isCut || !other) return;
    while (queue.length > 0) {
      const bytes = queue[0]!;
      const written = to.write(bytes);
      if (written < 0) return void queue.splice(0);
      if (written < bytes.length) return void (queue[0] = bytes.subarray(written));
      queue.shift();
    }
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
    for (const socket of this.#sockets) socket.terminate();
  }
}
