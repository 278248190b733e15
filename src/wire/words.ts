import { tidyText } from './json.ts';

/** The longest value that is shown, characters. */
const MAX_WORD = 64;

/**
 * Quotes a client's or a provider's value in a message of ours, shortened. Values that are not text must not be
 * converted to text: an object may have a `toString` field.
 */
export function named(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_WORD)) : 'that is not text';
}

/** The same without quotes, as in a list of dropped fields. */
export function wordOf(value: unknown): string {
  if (typeof value === 'string') return tidyText(value, MAX_WORD);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
