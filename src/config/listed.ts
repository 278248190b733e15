/** Messages list at most this many names. */
const MOST = 10;

/** Lists names in a message: the first ten, and how many more there are. */
export function listed(names: readonly string[]): string {
  if (names.length <= MOST) return names.join(', ');
  return `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
}
