/** How long requests hold the event loop of the program, independent of what else runs on the machine. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from './binary.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveConfigFrom } from './binary.ts';

/** Processor time of the thread of the event loop since the last measurement, milliseconds. */
export interface LoopTimes {
  /** The longest time between two turns of the loop, in which nothing else was served. */
  readonly longestMs: number;
  readonly totalMs: number;
}

export interface ServingMeasured extends Serving {
  /** Ends a measurement, and begins the next one. */
  readonly loop: () => Promise<LoopTimes>;
}

const COMMAND = [
  process.execPath,
  '--no-env-file',
  '--preload',
  join(import.meta.dir, 'measured-loop.ts'),
  join(import.meta.dir, '../../src/main.ts'),
];

/** Serves a configuration from source, in a process whose event loop is measured. */
export async function serveMeasured(config: ConfigInput): Promise<ServingMeasured> {
  const serving = await serveConfigFrom(COMMAND, config);
  const port = readFileSync(join(serving.cwd, 'loop-port'), 'utf8');
  const loop = async () => (await (await fetch(`http://127.0.0.1:${port}`)).json()) as LoopTimes;
  await loop();
  return { ...serving, loop };
}
