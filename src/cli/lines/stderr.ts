/**
 * Writes to stderr without delaying requests: a stopped terminal, or a pipe without a reader, would block the process.
 */
import * as fs from 'node:fs';
import { writeFully } from '../output.ts';

const FD = 2;
/** The size of the buffer for lines, bytes. */
const MAX_WAITING = 1024 ** 2;
/**
 * The size of one write. A pipe takes this much atomically, so that the lines of several workers do not mix.
 * @see POSIX, PIPE_BUF
 */
const MAX_PIECE = 4_096;
/** The retry interval for a full non-blocking pipe, milliseconds. */
const NO_ROOM_MS = 20;

/** Writes whole lines in their order. */
export class LineWriter {
  /** Whether lines begin with their time: once the start-up messages are complete. */
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

  /** Writes asynchronously from now on. Before that, a program that cannot start prints everything and exits. */
  begin(): void {
    this.#serves = true;
  }

  /** Whether the buffer has room. */
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
   * Waits for buffered output, but not for a reader that has stopped reading.
   * @returns whether everything was written
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

  /** Counts a line that is dropped. */
  drop(): void {
    this.#dropped += 1;
  }

  #writeNow(bytes: Buffer): void {
    try {
      writeFully(this.#fd, bytes);
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

  /** As many whole lines as fit into one write; a longer line by itself. */
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

  /** In another thread, since it may block for any time. */
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

  /** The reader of stderr may exit, as a restarted log collector does. That must not end the server. */
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
