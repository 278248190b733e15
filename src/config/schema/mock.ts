/** `providers.mock`: the behaviour of a provider of type mock. */
import { z } from 'zod';
import { duration } from '../units.ts';
import { onDemand, rate } from '../words.ts';

export const mock = onDemand(() =>
  z
    .strictObject({
      latency: duration.prefault('0s').describe('Time before the first byte.'),
      tokens_per_second: z
        .number()
        .positive()
        .optional()
        .describe('Speed of a stream; unlimited when omitted.'),
      seed: z.number().int().default(1).describe('Seed of the random generator that decides on faults.'),
      faults: z
        .strictObject({
          rate: rate.default(0).describe('Share of requests that fail with a fault, 0 to 1.'),
          kinds: z
            .array(z.enum(['status', 'reset', 'silence', 'cut', 'stall', 'malformed', 'error_event']))
            .min(1)
            .default(['status'])
            .describe('Faults to choose from.'),
          status: z.number().int().min(400).max(599).default(503).describe('Status of a `status` fault.'),
          retry_after: duration.optional().describe('Retry-After sent with a `status` fault.'),
        })
        .prefault({})
        .describe('Random faults.'),
      allow_header: z
        .boolean()
        .default(false)
        .describe(
          'Let clients request a fault with the header x-mock-fault, such as "status=429; retry-after=2".',
        ),
    })
    .describe('Behaviour of a provider of type mock.'),
);
