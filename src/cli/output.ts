import { writeSync } from 'node:fs';
import { ExitError } from './exit.ts';

const PATIENCE = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all data to stdout before it returns, waiting for a slow reader.
 * @throws ExitError 0 when the reader has closed the pipe: it has what it wanted
 */
export function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (cause) {
      const { code } = cause as { code?: string };
      if (code === 'EPIPE') throw new ExitError(0);
      if (code !== 'EAGAIN') throw cause;
      Atomics.wait(PATIENCE, 0, 0, 5);
    }
  }
}

/** Whether to use colours on a stream. @see https://no-color.org */
export function useColor(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}
