/** The results of checks. */

export type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  /** The subject of the check, such as "config", or the name of a provider. */
  readonly name: string;
  readonly state: State;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

export function ok(name: string, message: string): Finding {
  return { name, state: 'ok', message };
}

export function warning(name: string, message: string, fix?: string): Finding {
  return { name, state: 'warning', message, fix };
}

export function failed(name: string, message: string, fix?: string): Finding {
  return { name, state: 'failed', message, fix };
}

/** A check that could not be completed. */
export function skipped(name: string, message: string): Finding {
  return { name, state: 'skipped', message };
}

/** "3 providers" */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
