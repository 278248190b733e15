import { z } from 'zod';

const DURATION = 'expected a duration: seconds as a number, or "500ms", "30s", "5m", "1h"';
const SIZE = 'expected a size: bytes as a number, or "64KiB", "32MiB", "1GB"';

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function scaled(text: string, units: Record<string, number>): number {
  const [, amount, unit] = /^([\d.]+)\s*([A-Za-z]+)$/.exec(text)!;
  return Number(amount) * units[unit!]!;
}

/** A span of time: a number of seconds, or "500ms", "30s", "5m", "1h", "7d". Becomes milliseconds. */
export const duration = z
  .union([z.number().nonnegative(), z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, DURATION)], {
    error: DURATION,
  })
  .transform((value) => (typeof value === 'number' ? value * 1000 : scaled(value, DURATION_UNITS)));

/** An amount of memory or disk: a number of bytes, or "64KiB", "32MiB", "1GB". Becomes bytes. */
export const size = z
  .union(
    [z.number().int().nonnegative(), z.string().regex(/^\d+(\.\d+)?\s*(B|KB|MB|GB|KiB|MiB|GiB)$/, SIZE)],
    { error: SIZE },
  )
  .transform((value) => (typeof value === 'number' ? value : Math.round(scaled(value, SIZE_UNITS))));
