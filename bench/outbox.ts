import type { Socket } from 'bun';

/** Bytes that a socket could not accept at once, to be written when it drains. */
export class Outbox {
  #waiting: Buffer[] = [];

  write(socket: Socket<unknown>, bytes: Buffer): void {
    if (this.#waiting.length > 0) return void this.#waiting.push(bytes);
    const written = socket.write(bytes);
    if (written < bytes.length) this.#waiting.push(bytes.subarray(Math.max(0, written)));
  }

  drain(socket: Socket<unknown>): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) this.write(socket, bytes);
  }
}
