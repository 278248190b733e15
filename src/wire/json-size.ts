import type { JsonObject } from './json.ts';

/** The size of a number, a literal or a container, and of what separates it from the next one, characters. */
const VALUE = 8;

/**
 * The approximate length of a value's JSON text without writing it, characters: texts count as long as they are, without
 * their escapes. Counting stops beyond `most`, so that a long value costs no more than a short one.
 */
export function sizeOf(value: unknown, most: number): number {
  if (typeof value === 'string') return value.length + VALUE;
  if (typeof value !== 'object' || value === null) return VALUE;
  let size = VALUE;
  for (const name in value) {
    size += name.length + sizeOf((value as JsonObject)[name], most - size);
    if (size > most) break;
  }
  return size;
}
