const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 24 letters and digits. @param random uniform in [0, 1) */
export function randomId(random: () => number): string {
  let id = '';
  for (let n = 0; n < 24; n += 1) id += ALPHABET[Math.floor(random() * ALPHABET.length)]!;
  return id;
}
