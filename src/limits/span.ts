const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration as OpenAI writes it in its headers: "6m0s", "1s", "120ms". */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const whole = Math.ceil(ms / 1_000) * 1_000;
  const first = UNITS.findIndex(([, unit]) => whole >= unit);
  const [word, unit] = UNITS[first]!;
  const amount = Math.floor(whole / unit);
  const next = UNITS[first + 1];
  // The two largest units are precise enough.
  return next ? `${amount}${word}${Math.floor((whole % unit) / next[1])}${next[0]}` : `${amount}${word}`;
}
