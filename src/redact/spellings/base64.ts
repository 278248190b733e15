/** Text in Base64, as in headers, cursors, `data:` URLs and secrets of Kubernetes. */

/** Text in Base64, and what it stands for. */
export interface Encoded {
  readonly from: number;
  readonly to: number;
  readonly plain: string;
}

/** A shorter text holds hardly a value; a longer one is a file. Characters of Base64. */
const LEAST = 20;
const MOST = 16_384;

/** Which characters of ASCII belong to Base64, in either of its alphabets. */
const SIGNS = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code))),
);

/** How much tells whether it is text: most tokens are names, paths, hashes and keys. Characters of Base64. */
const BEGINNING = 12;

const TEXT = /^[\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]*$/u;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The parts of a text that are Base64 of other text. A run of its characters has one at each multiple of the least
 * length, so that few characters of ordinary text are looked at.
 */
export function base64In(text: string): Encoded[] {
  const found: Encoded[] = [];
  for (let at = LEAST - 1; at < text.length; at += LEAST) {
    if (!isSign(text, at)) continue;
    let from = at;
    while (from > 0 && isSign(text, from - 1)) from -= 1;
    let to = at + 1;
    while (isSign(text, to)) to += 1;
    at = to;
    if (to - from < LEAST) continue;
    while (text[to] === '=') to += 1;
    found.push(...encodedAt(text.slice(from, to), from));
  }
  return found;
}

function isSign(text: string, at: number): boolean {
  return SIGNS[text.charCodeAt(at)] === 1;
}

/** A run of its characters; what precedes the last slash may be a path. */
function encodedAt(run: string, index: number): Encoded[] {
  for (const start of new Set([0, run.lastIndexOf('/') + 1])) {
    const token = run.slice(start);
    if (token.length < LEAST || token.length > MOST || !isAscii(token.slice(0, BEGINNING))) continue;
    const plain = plainOf(token);
    if (plain !== undefined) return [{ from: index + start, to: index + run.length, plain }];
  }
  return [];
}

/** Whether the beginning stands for characters of ASCII, or for parts of others. */
function isAscii(beginning: string): boolean {
  const bytes = Buffer.from(beginning, 'base64');
  return bytes.every(
    (byte) => byte > 0x7e || byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09,
  );
}

function plainOf(token: string): string | undefined {
  try {
    const plain = decoder.decode(Buffer.from(token, 'base64'));
    return TEXT.test(plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}
