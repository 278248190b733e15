import { tidyText } from './json.ts';

/** Longest word that is shown, characters. */
const MAX_WORD = 64;

/**
 * A word of a client's or a provider's within a message of ours, quoted and short. What is no text must not become
 * one: an object may have a field `toString`.
 */
export function named(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_WORD)) : 'that is no text';
}

/** The same as it stands in a list of what was left out, without quotes. */
export function wordOf(value: unknown): string {
  if (typeof value === 'string') return tidyText(value, MAX_WORD);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
