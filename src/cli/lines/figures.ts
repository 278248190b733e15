/** Short notations of numbers. */

/** A duration: "8ms", "1.42s", "12.3s", "2m05s". */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.995) return `${seconds.toFixed(2)}s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(whole / 3_600)}h${String(Math.floor((whole % 3_600) / 60)).padStart(2, '0')}m`;
}

/** A token count: "340", "1.2k", "130k", "1.2M". */
export function count(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  const [scaled, unit] = value < 999_500 ? [value / 1_000, 'k'] : [value / 1_000_000, 'M'];
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`;
}
