const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A span of time as OpenAI writes it in its headers: "6m0s", "1s", "120ms". */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  let left = Math.ceil(ms / 1_000) * 1_000;
  const first = UNITS.findIndex(([, unit]) => left >= unit);
  return UNITS.slice(first, first + 2)
    .map(([word, unit]) => {
      const amount = Math.floor(left / unit);
      left -= amount * unit;
      return `${amount}${word}`;
    })
    .join('');
}
