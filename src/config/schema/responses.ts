/** Which responses are stored, and for how long. */
import { z } from 'zod';
import { duration, size } from '../units.ts';

export const responses = z.strictObject({
  store: z
    .enum(['logged', 'asked', 'never'])
    .default('logged')
    .describe(
      'Which responses are stored when the client asks for it (`store`, which defaults to true). logged: those whose content the log may keep (`logging.requests.content`, `log` of a key, x-llmproxy-log). asked: all. never: none; `previous_response_id` then works only with a provider that requests are relayed to.',
    ),
  ttl: duration
    .refine((ms) => ms > 0, 'expected more than 0')
    .prefault('30d')
    .describe(
      'How long a response is stored, and a conversation after its last use. If `logging.requests.retention` keeps content for a shorter time, that time applies.',
    ),
  max_size: size
    .refine((bytes) => bytes >= 1024 * 1024, 'expected at least 1MiB')
    .prefault('256MiB')
    .describe(
      'Most storage for responses and conversations, in `state.directory` (in memory if that is not writable). Beyond it, the oldest items of the key that has stored most are deleted; what has no room without taking away from keys that store less is not stored.',
    ),
  max_background: z
    .number()
    .int()
    .min(1)
    .default(16)
    .describe('Background responses that each process runs at once.'),
  max_queued: z
    .number()
    .int()
    .min(0)
    .default(256)
    .describe(
      'Background responses that may wait for their turn in each process; further ones get a 503. One key may have half of them waiting; beyond that, it gets a 429. The key with the fewest running goes first.',
    ),
  max_streams: z
    .number()
    .int()
    .min(1)
    .default(256)
    .describe(
      'Streams of stored responses (`GET /v1/responses/ID?stream=true`) that each process sends at once; further ones get a 503. One client may have half of them; beyond that, it gets a 429.',
    ),
});

export type ResponsesConfig = z.output<typeof responses>;
