/** What is stored of responses, and for how long. */
import { z } from 'zod';
import { duration, size } from './units.ts';

export const responses = z.strictObject({
  store: z
    .enum(['logged', 'asked', 'never'])
    .default('logged')
    .describe(
      'What is stored of what clients ask to be (`store`, which is true where they leave it out). logged: requests of which the log may keep the content (`logging.requests.content`, `log` of a key, x-llmproxy-log). asked: all. never: nothing; then `previous_response_id` leads nowhere but to a provider that is relayed to.',
    ),
  ttl: duration
    .refine((ms) => ms > 0, 'expected more than 0')
    .prefault('30d')
    .describe(
      'How long a response is stored, and a conversation after its last use. `logging.requests.retention` goes before it where that keeps content for a shorter time.',
    ),
  max_size: size
    .refine((bytes) => bytes >= 1024 * 1024, 'expected at least 1MiB')
    .prefault('256MiB')
    .describe(
      'Of all that is stored, in `state.directory` (in memory where it cannot be written). Beyond it the oldest goes of the key that has stored most.',
    ),
  max_background: z
    .number()
    .int()
    .min(1)
    .default(16)
    .describe('Responses that each process runs in the background at once.'),
  max_queued: z
    .number()
    .int()
    .min(0)
    .default(256)
    .describe('Background responses of each process that wait for their turn; further ones get a 503.'),
});

export type ResponsesConfig = z.output<typeof responses>;
