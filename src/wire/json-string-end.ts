/**
 * The position of the quote that ends a string of JSON text, or the end of a text that is cut off before it. Written by
 * hand, because the engine silently fails to match `(?:[^"\\]|\\.)*` on a string of a few megabytes.
 * @param from the position after the quote that begins it
 */
export function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (quote - slashes > from && text[quote - slashes - 1] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote;
  }
  return text.length;
}
