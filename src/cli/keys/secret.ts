import { createHash, randomBytes } from 'node:crypto';

/** The prefix of every key, by which people and secret scanners recognise it. */
const BEGINNING = 'sk-llmproxy-';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** The length at which 62 characters hold 256 bits. */
const LENGTH = 43;
/** How many characters of a key are shown. */
const SHOWN = 4;

export interface NewSecret {
  /** The key itself, which is shown once and stored nowhere. */
  readonly secret: string;
  /** `sha256:HEX` */
  readonly hash: string;
  readonly prefix: string;
}

/** Generates a key from the system's source of randomness. */
export function newSecret(): NewSecret {
  let letters = '';
  // The log recognises unknown secrets by their prefix and by a digit.
  while (!/\d/.test(letters)) letters = randomLetters();
  const secret = BEGINNING + letters;
  const hash = `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  return { secret, hash, prefix: secret.slice(0, BEGINNING.length + SHOWN) };
}

/** Bytes above the last multiple of 62 are discarded, so that all characters are equally likely. */
function randomLetters(): string {
  const most = 256 - (256 % LETTERS.length);
  let text = '';
  while (text.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      if (byte < most && text.length < LENGTH) text += LETTERS[byte % LETTERS.length];
    }
  }
  return text;
}
