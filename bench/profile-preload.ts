/**
 * Loaded before src/main.ts by bench/profile.ts: starts Bun's profiler on request, and sends its profile to the parent.
 * `--cpu-prof` would start with the process, before it is warm.
 */
import { Session } from 'node:inspector/promises';

/** The requests of the parent. */
export interface ProfilerMessage {
  readonly ask: 'start' | 'stop';
  readonly intervalUs: number;
}

const session = new Session();
session.connect();

process.on('message', (message: ProfilerMessage) => void (message.ask === 'start' ? start(message) : stop()));

async function start({ intervalUs }: ProfilerMessage): Promise<void> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: intervalUs });
  await session.post('Profiler.start');
}

async function stop(): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  process.send!(profile);
}
