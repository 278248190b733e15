import { isatty } from 'node:tty';
import type { ProgramLog } from './log.ts';

/** Other programs reopen their logs when they get one; by default, it ends a program at once. */
export const MEANINGLESS = ['SIGUSR1', 'SIGUSR2'] as const;

export interface OtherSignals {
  /** What SIGHUP does if there is no configuration file; omitted if there is one, which is reloaded. */
  readonly hangup?: { readonly tryAgain: () => void; readonly stop: (signal: NodeJS.Signals) => void };
  readonly log: ProgramLog;
}

/**
 * Handles the signals that would otherwise end the proxy in the middle of requests, before their records are written.
 * @returns a function that stops it
 */
export function handleOtherSignals({ hangup, log }: OtherSignals): () => void {
  const ignore = (signal: NodeJS.Signals): void =>
    log.info(`${signal} is ignored: the request log rotates by itself, and SIGHUP reloads the configuration`);
  const onHangup = (signal: NodeJS.Signals): void => {
    // Its terminal was closed.
    if (isatty(0)) return hangup!.stop(signal);
    hangup!.tryAgain();
    log.info(
      'SIGHUP: there is no configuration file to reload, and unavailable providers may be tried again',
    );
  };
  for (const signal of MEANINGLESS) process.on(signal, ignore);
  if (hangup) process.on('SIGHUP', onHangup);
  return () => {
    for (const signal of MEANINGLESS) process.off(signal, ignore);
    process.off('SIGHUP', onHangup);
  };
}
