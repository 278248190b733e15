/**
 * The longest header value made of names that clients or providers choose, bytes: clients accept 16 KiB of headers in
 * total.
 */
const MAX_BYTES = 1_024;
/** The characters of nearly all names. */
const PLAIN = /^[\x20-\x7e]*$/;
/** The longest name within a list, bytes. */
const MAX_NAME = 128;
/** Room for the number of omitted names. */
const REST = ', and 1000000000 more'.length;

/** Text as a header value: characters that a header cannot contain are escaped, and long text is cut. */
export function headerText(text: string, maxBytes = MAX_BYTES): string {
  if (text.length <= maxBytes && PLAIN.test(text)) return text;
  let value = '';
  let cut = '';
  for (const char of text.slice(0, maxBytes + 1).toWellFormed()) {
    value += /[\x20-\x7e]/.test(char) ? char : encodeURIComponent(char);
    if (value.length > maxBytes) return `${cut}...`;
    if (value.length <= maxBytes - 3) cut = value;
  }
  return value;
}

/** Names as one header value, such as "seed, logit_bias, and 312 more". */
export function headerList(names: readonly string[]): string {
  let value = '';
  for (const [index, name] of names.entries()) {
    const shown = headerText(name, MAX_NAME);
    if (value.length + 2 + shown.length + REST > MAX_BYTES)
      return `${value}, and ${names.length - index} more`;
    value += index === 0 ? shown : `, ${shown}`;
  }
  return value;
}
