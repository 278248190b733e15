/** Longest value that is made of names which clients or providers choose, bytes: clients stop at 16 KiB of all headers. */
const MAX_BYTES = 1_024;
/** What nearly all names are made of. */
const PLAIN = /^[\x20-\x7e]*$/;
/** Longest name within a list, bytes. */
const MAX_NAME = 128;
/** Room for how many are not named. */
const REST = ', and 1000000000 more'.length;

/** Text as a header value: what a header cannot carry is escaped, and what is too long is cut. */
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
