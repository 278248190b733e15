import { ExitError } from '../exit.ts';

/** Parses a flag's integer. @throws ExitError 2 when it is invalid or out of range */
export function integerFlag(name: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new ExitError(2, `Cannot use --${name} ${value}: expected a whole number from ${min} to ${max}`);
}
