/** `state`: what survives a restart, and what replicas share. */
import { z } from 'zod';
import { duration } from '../units.ts';
import { text } from '../words.ts';

const redisUrl = z
  .url({ protocol: /^(?:redis|valkey)s?$/, error: 'expected a redis:// or rediss:// URL' })
  .refine((url) => /^\/?\d*$/.test(new URL(url).pathname), 'expected a database number as the path')
  .refine(
    (url) => new URL(url).search === '' && new URL(url).hash === '',
    'expected no query and no fragment',
  );

export const state = z.strictObject({
  directory: text
    .default('state')
    .describe(
      "Directory for counters of used limits and for the providers' model lists, so that they survive a restart. Created when there is something to store.",
    ),
  flush_interval: duration
    .prefault('1s')
    .describe(
      'Longest time that usage waits in memory before it is written. A crash loses at most this much, unless the request log has it.',
    ),
  redis: redisUrl
    .optional()
    .describe(
      'Redis or Valkey server through which replicas share limits, budgets and stored responses: redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS. See docs/scale.md.',
    ),
  redis_timeout: duration
    .refine((ms) => ms >= 5 && ms <= 5_000, 'expected 5ms to 5s')
    .prefault('100ms')
    .describe(
      'Longest wait for a reply of that server. If it takes longer, the replica uses its part of each limit until the server is available again.',
    ),
  replicas: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe(
      'Smallest number of replicas to expect. While the server is unavailable, limits are divided by this number, or by the number of replicas last seen if that is higher.',
    ),
});
