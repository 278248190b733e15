/** Another program, with the terminal of this one. */
import { constants } from 'node:os';
import { basename } from 'node:path';
import { nearest } from '../../config/suggest.ts';
import { ExitError } from '../exit.ts';
import type { Launch, Program } from './programs.ts';
import { PROGRAMS } from './programs.ts';

/** Told to this process alone by whoever supervises it; what a terminal tells, it tells all of its processes. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const OF_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/** The program of this name, or of a path that ends with it. @throws ExitError 2 when it is not known */
export function programNamed(command: string, base: string): Program {
  const name = basename(command).replace(/\.(?:exe|cmd|js)$/, '');
  const program = PROGRAMS.find((each) => each.name === name);
  if (program) return program;
  const names = PROGRAMS.map((each) => each.name);
  const [close] = nearest(name, names, 1);
  const hint = close === undefined ? '' : `, did you mean ${close}?`;
  throw new ExitError(
    2,
    [
      `Cannot run ${command}: how it is told of a proxy is not known${hint}`,
      `Known are ${names.join(', ')}.`,
      "By hand, a program of OpenAI's API:",
      `  OPENAI_BASE_URL=${base}/v1 OPENAI_API_KEY=KEY ${command}`,
      "A program of Anthropic's API:",
      `  ANTHROPIC_BASE_URL=${base} ANTHROPIC_AUTH_TOKEN=KEY ${command}`,
    ].join('\n'),
  );
}

/** Where a program is. @throws ExitError 127, as a shell does, with the way to get it */
export function executableOf(command: string, { title, install }: Program): string {
  const path = Bun.which(command);
  if (path !== null) return path;
  throw new ExitError(127, `Cannot find ${command}. To install ${title}: ${install}`);
}

/**
 * Runs a program until it ends; what comes from the terminal goes to it alone.
 * @returns its exit code; 128 and the signal's number where one ended it
 */
export async function runWith(path: string, args: readonly string[], { env }: Launch): Promise<number> {
  const all = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined);
  // Listened to before the program begins: a signal that comes meanwhile must not end this process alone.
  const passOn = (signal: NodeJS.Signals): void => child.kill(signal);
  const ignore = (): void => undefined;
  for (const signal of PASSED_ON) process.on(signal, passOn);
  for (const signal of OF_TERMINAL) process.on(signal, ignore);
  const child = Bun.spawn([path, ...args], {
    env: Object.fromEntries(all),
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  await child.exited;
  for (const signal of PASSED_ON) process.off(signal, passOn);
  for (const signal of OF_TERMINAL) process.off(signal, ignore);
  const { exitCode, signalCode } = child;
  const number = typeof signalCode === 'string' ? constants.signals[signalCode] : (signalCode ?? 0);
  return exitCode ?? 128 + number;
}
