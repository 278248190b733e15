/** Parses durations and sizes. It does not import zod, so that code without a configuration starts fast. */

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const DURATION_TEXT = /^\d+(\.\d+)?\s*(ms|s|m|h|d)$/;
export const SIZE_TEXT = /^\d+(\.\d+)?\s*(B|KB|MB|GB|KiB|MiB|GiB)$/;

/** "500ms", "30s", "5m", "1h" or "7d" in milliseconds; `undefined` for anything else. */
export function milliseconds(text: string): number | undefined {
  return DURATION_TEXT.test(text) ? scaled(text, DURATION_UNITS) : undefined;
}

/** "64KiB", "32MiB" or "1GB" in bytes; `undefined` for anything else. */
export function byteCount(text: string): number | undefined {
  return SIZE_TEXT.test(text) ? Math.round(scaled(text, SIZE_UNITS)) : undefined;
}

function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const [, amount, unit] = /^([\d.]+)\s*([A-Za-z]+)$/.exec(text)!;
  return Number(amount) * units[unit!]!;
}
