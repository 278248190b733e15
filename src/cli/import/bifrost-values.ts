/** Values in Bifrost's notation. */
import type { Key } from './draft.ts';
import type { Given } from './given.ts';

/** A text, or a reference in its place: `{value, env_var}`. */
export function textOf(given: Given | undefined, key: string): string | undefined {
  const direct = given?.text(key);
  if (direct !== undefined) return direct;
  const part = given?.part(key);
  const env = part?.text('env_var');
  part?.skip('from_env', ...(env === undefined ? [] : ['value']));
  return env === undefined ? part?.text('value') : env.startsWith('env.') ? env : `env.${env}`;
}

/** Converts `env.NAME` to a variable. */
export function keyOf(text: string | undefined): Key | undefined {
  if (text === undefined || text === '') return undefined;
  const env = /^env\.(\w+)$/.exec(text.trim())?.[1];
  return env === undefined ? { literal: text } : { env };
}
