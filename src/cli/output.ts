import { writeSync } from 'node:fs';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';

const STDOUT = 1;
const STDERR = 2;

const PATIENCE = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all data to stdout before it returns, waiting for a slow reader.
 * @throws ExitError 0 when the reader has closed the pipe: it has what it wanted
 */
export function print(text: string): void {
  try {
    writeFully(STDOUT, text);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EPIPE') throw new ExitError(0);
    throw new ExitError(1, `Cannot write to standard output: ${fileReason(cause)}`);
  }
}

/**
 * Writes all data to stderr before it returns, waiting for a slow reader: what a stream still buffers is lost when the
 * process exits. A command does not fail because its messages cannot be written.
 */
export function printStderr(text: string): void {
  try {
    writeFully(STDERR, text);
  } catch {
    // The exit code says how the command ended.
  }
}

/** Writes all data to a file descriptor before it returns, also to a non-blocking one. @throws what the system reports */
export function writeFully(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause;
      Atomics.wait(PATIENCE, 0, 0, 5);
    }
  }
}

/** Whether to use colours on a stream. @see https://no-color.org */
export function useColor(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}
