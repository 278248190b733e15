const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 24 letters and digits. @param random uniform in [0, 1) */
export function randomId(random: () => number): string {
  return Array.from({ length: 24 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join('');
}
