import type { Finding } from './finding.ts';
import { failed, ok, skipped, warning } from './finding.ts';

/** Above these differences, signatures and tokens are rejected by the strictest services, and by nearly all. */
const WARN_MS = 30_000;
const FAIL_MS = 5 * 60_000;

/**
 * Compares this machine's clock with those of the providers.
 * @param skewsMs how far each is ahead, milliseconds; the median is used, so that a single wrong clock does not matter
 */
export function checkClock(skewsMs: readonly number[]): Finding {
  if (skewsMs.length === 0) return skipped('clock', 'no provider reported the time');
  const sorted = skewsMs.toSorted((a, b) => a - b);
  const skewMs = sorted[Math.floor(sorted.length / 2)]!;
  const far = Math.abs(skewMs);
  const message = `this machine's clock is ${Math.round(far / 1_000)} s ${skewMs > 0 ? 'behind' : 'ahead'}`;
  const fix = 'Synchronize it: `timedatectl set-ntp true`, chrony or the like.';
  if (far >= FAIL_MS) return failed('clock', `${message}: signatures and tokens are refused`, fix);
  if (far >= WARN_MS) return warning('clock', message, fix);
  return ok('clock', 'within a second or two of the providers');
}
