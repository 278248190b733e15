import { z } from 'zod';
import { byteCount, DURATION_TEXT, milliseconds, SIZE_TEXT } from './amounts.ts';

const DURATION = 'expected a duration: seconds as a number, or "500ms", "30s", "5m", "1h"';
const SIZE = 'expected a size: bytes as a number, or "64KiB", "32MiB", "1GB"';

/** A duration: a number of seconds, or "500ms", "30s", "5m", "1h", "7d". Parsed to milliseconds. */
export const duration = z
  .union([z.number().nonnegative(), z.string().regex(DURATION_TEXT, DURATION)], { error: DURATION })
  .transform((value) => (typeof value === 'number' ? value * 1000 : milliseconds(value)!));

/** A size: a number of bytes, or "64KiB", "32MiB", "1GB". Parsed to bytes. */
export const size = z
  .union([z.number().int().nonnegative(), z.string().regex(SIZE_TEXT, SIZE)], { error: SIZE })
  .transform((value) => (typeof value === 'number' ? value : byteCount(value)!));
