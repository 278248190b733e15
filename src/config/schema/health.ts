/** `health`: when a provider counts as healthy, degraded or unhealthy. */
import { z } from 'zod';
import { duration } from '../units.ts';
import { rate } from '../words.ts';

export const health = z.strictObject({
  probe: z
    .enum(['recovery', 'always', 'never'])
    .default('recovery')
    .describe(
      'Call a free endpoint in the background. recovery: only for providers that do not answer or that refuse a key. always: for every provider. never: for none; real requests then have to find out.',
    ),
  interval: duration.prefault('5s').describe('Time between two probes of the same provider.'),
  timeout: duration.prefault('5s').describe('Longest wait for the answer to a probe.'),
  window: duration
    .refine((ms) => ms >= 1_000, 'expected at least 1s')
    .prefault('1m')
    .describe('Length of the window over which the success rate is computed.'),
  min_calls: z
    .number()
    .int()
    .min(1)
    .default(5)
    .describe('Calls needed within the window before the success rate is considered.'),
  degraded_below: rate.default(0.95).describe('Success rate below which a provider is degraded.'),
  unhealthy_below: rate.default(0.5).describe('Success rate below which a provider is unhealthy.'),
});
