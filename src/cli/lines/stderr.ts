/** Lines on stderr that cost requests nothing: a terminal that is held, and a pipe that nobody reads, would hold up all. */
import * as fs from 'node:fs';

const FD = 2;
/** Lines that wait at most, bytes. */
const MAX_WAITING = 1024 ** 2;
/**
 * What is written at once. A pipe takes so much as one piece, so that the lines of several workers do not get into each other.
 * @see POSIX, PIPE_BUF
 */
const MAX_PIECE = 4_096;
/** When a pipe that has no room, and does not wait, is asked again, milliseconds. */
const NO_ROOM_MS = 20;

/** Writes whole lines in their order. */
export class LineWriter {
  /** Whether lines are to say when they were written: once all is said of how the program begins. */
  stamped = false;
  readonly #fd: number;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #writing = false;
  #serves = false;
  #gone = false;
  #onIdle: (() => void) | undefined;

  constructor(fd: number = FD) {
    this.#fd = fd;
  }

  /** From now on nobody waits for what is written. Before, a program that cannot begin says all and ends. */
  begin(): void {
    this.#serves = true;
  }

  /** Whether there is room for more. */
  get hasRoom(): boolean {
    return this.#bytes < MAX_WAITING;
  }

  /** @param text whole lines, without the last line end */
  write(text: string): void {
    if (this.#gone) return;
    if (!this.hasRoom) return this.drop();
    const bytes = Buffer.from(`${text}\n`);
    if (!this.#serves && !this.#writing) return this.#writeNow(bytes);
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#next();
  }

  /**
   * Waits for what is still to be written, but not for a reader that has stopped reading.
   * @returns whether all is written
   */
  async written(patienceMs: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patienceMs);
    while (this.#writing) {
      const { promise, resolve: done } = Promise.withResolvers<void>();
      this.#onIdle = done;
      if ((await Promise.race([promise.then(() => 'idle'), late.then(() => 'late')])) === 'late') break;
    }
    clearTimeout(timer);
    return !this.#writing;
  }

  /** Something is left out. */
  drop(): void {
    this.#dropped += 1;
  }

  #writeNow(bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#failed(error);
    }
  }

  #next(): void {
    if (this.#writing || this.#gone) return;
    if (this.#dropped > 0 && this.hasRoom) this.#tellDropped();
    const piece = this.#piece();
    if (piece.length === 0) return;
    this.#writing = true;
    this.#send(piece, 0);
  }

  /** As many whole lines as are written as one; a longer one by itself. */
  #piece(): Buffer {
    let count = 0;
    let length = 0;
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > MAX_PIECE) break;
      count += 1;
      length += line.length;
    }
    const lines = this.#waiting.splice(0, count);
    this.#bytes -= length;
    return lines.length === 1 ? lines[0]! : Buffer.concat(lines);
  }

  /** In another thread: it may take as long as the reader likes. */
  #send(piece: Buffer, from: number): void {
    fs.write(this.#fd, piece, from, piece.length - from, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#send(piece, from), NO_ROOM_MS);
        return;
      }
      if (!error && from + written < piece.length) return this.#send(piece, from + written);
      this.#writing = false;
      if (error) this.#failed(error);
      this.#next();
      if (!this.#writing) this.#onIdle?.();
    });
  }

  #tellDropped(): void {
    const line = Buffer.from(`warning: ${this.#dropped} lines were left out: stderr is read too slowly\n`);
    this.#dropped = 0;
    this.#waiting.push(line);
    this.#bytes += line.length;
  }

  /** Whoever reads stderr may go, as a collector of logs that is restarted does. That must not end what serves. */
  #failed(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#gone = code === 'EPIPE' || code === 'EBADF' || code === 'EIO';
    if (!this.#gone) return;
    this.#waiting = [];
    this.#bytes = 0;
  }
}

/** Of this process. */
export const stderrLines = new LineWriter();
