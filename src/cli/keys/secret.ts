import { createHash, randomBytes } from 'node:crypto';

/** What every key begins with: by it people, and programs that search for leaked secrets, know what it is. */
const BEGINNING = 'sk-llmproxy-';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** So many of 62 letters hold 256 bits. */
const LENGTH = 43;
/** Letters that are shown of a key. */
const SHOWN = 4;

export interface NewSecret {
  /** Shown once, and kept nowhere. */
  readonly secret: string;
  /** `sha256:HEX` */
  readonly hash: string;
  readonly prefix: string;
}

/** A key from the system's source of randomness. */
export function newSecret(): NewSecret {
  let letters = '';
  // The log knows secrets that nobody has told it by their beginning and by a digit.
  while (!/\d/.test(letters)) letters = randomLetters();
  const secret = BEGINNING + letters;
  const hash = `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  return { secret, hash, prefix: secret.slice(0, BEGINNING.length + SHOWN) };
}

/** Bytes beyond the last multiple of 62 are left out, so that no letter is likelier than another. */
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
