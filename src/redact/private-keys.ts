/** Finds private keys in text: PEM, OpenPGP, SSH and PuTTY blocks, complete or truncated. */

const BEGIN = /-----? ?BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?) ?-----?/g;
/** What a block may contain: Base64, headers, and escaped line ends. */
const CONTENT = /[\w+/=\s\\:,.()<>@-]{0,16384}/y;
/** The maximum length of a block, characters. */
const LONGEST = 65_536;
const PUTTY = /PuTTY-User-Key-File-\d: [^]{0,200}?Private-Lines: \d{1,4}[\w+/=\s\\:,-]{0,16384}/g;

export function findPrivateKeys(text: string, add: (from: number, to: number) => void): void {
  if (text.includes('PRIVATE KEY'))
    for (let match = from(text, 0); match; match = from(text, BEGIN.lastIndex)) {
      const begin = match.index;
      const behind = begin + match[0].length;
      const end = endOf(text, behind, match[1]!);
      add(begin, end);
      BEGIN.lastIndex = end;
    }
  if (text.includes('PuTTY-User-Key'))
    for (const match of text.matchAll(PUTTY)) add(match.index, match.index + match[0].length);
}

function from(text: string, at: number): RegExpExecArray | null {
  BEGIN.lastIndex = at;
  return BEGIN.exec(text);
}

/** The position after the line that ends the block or, without one, after everything that may belong to it. */
function endOf(text: string, at: number, label: string): number {
  const closing = `END ${label}`;
  const near = text.slice(at, at + LONGEST);
  const close = near.indexOf(closing);
  const next = near.indexOf('BEGIN ');
  // Brackets are not in keys: in JSON, another string ends there.
  if (close >= 0 && (next < 0 || close < next) && !/[{}[\]]/.test(near.slice(0, close))) {
    const line = /^ ?-{4,5}/.exec(near.slice(close + closing.length, close + closing.length + 8))?.[0] ?? '';
    return at + close + closing.length + line.length;
  }
  CONTENT.lastIndex = at;
  return CONTENT.test(text) ? CONTENT.lastIndex : at;
}
