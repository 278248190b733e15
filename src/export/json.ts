/** JSON that every reader accepts. */

/**
 * A value as one line of JSON, newline included. Halves of surrogate pairs, which a stream cut within an emoji
 * leaves behind, become U+FFFD: `datasets`, DuckDB and jq reject the whole file for one of them.
 * @throws RangeError when it is nested too deep
 */
export function toLine(value: unknown): string {
  const line = JSON.stringify(value);
  // stringify() escapes only surrogates that have no other half; text with a backslash before "ud" merely costs
  // a second round.
  return `${line.includes('\\ud') ? JSON.stringify(wellFormed(value)) : line}\n`;
}

/** A copy whose strings, keys included, are well-formed Unicode. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  // Object.fromEntries() takes a key named __proto__ for what it is.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  );
}
