/** Another program that runs in this one's terminal. */
import { constants } from 'node:os';
import { basename } from 'node:path';
import { nearest } from '../../config/suggest.ts';
import { ExitError } from '../exit.ts';
import type { Launch, Program } from './programs.ts';
import { PROGRAMS } from './programs.ts';

/** Signals from a supervisor reach this process only; those from a terminal reach all of its processes. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const OF_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/** The known program with this name or file name. @throws ExitError 2 when there is none */
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
      `Cannot run ${command}: how to point it to a proxy is not known${hint}`,
      `Known are ${names.join(', ')}.`,
      "To set up a program that uses OpenAI's API by hand:",
      `  OPENAI_BASE_URL=${base}/v1 OPENAI_API_KEY=KEY ${command}`,
      "or one that uses Anthropic's API:",
      `  ANTHROPIC_BASE_URL=${base} ANTHROPIC_AUTH_TOKEN=KEY ${command}`,
    ].join('\n'),
  );
}

/** The path of a program. @throws ExitError 127, as shells do, with installation advice */
export function executableOf(command: string, { title, install }: Program): string {
  const path = Bun.which(command);
  if (path !== null) return path;
  throw new ExitError(127, `Cannot find ${command}. To install ${title}: ${install}`);
}

/**
 * Runs a program until it exits; terminal signals are left to it.
 * @returns its exit code; 128 plus the number of the signal that ended it
 */
export async function runWith(path: string, args: readonly string[], { env }: Launch): Promise<number> {
  const all = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined);
  // Handlers are installed before the start: a signal in between must not end only this process.
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
