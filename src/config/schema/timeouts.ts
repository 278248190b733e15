/** Timeouts of a provider or a model. */
import { z } from 'zod';
import { duration } from '../units.ts';
import { onDemand } from '../words.ts';

export const timeouts = onDemand(() =>
  z.strictObject({
    connect: duration.optional().describe('Time allowed to open a connection. Default: 10s.'),
    first_byte: duration
      .optional()
      .describe('Time allowed until the response headers arrive. Default: 60s for streams, 10m otherwise.'),
    first_content: duration
      .optional()
      .describe(
        'Time allowed until the first content of a stream, whatever other events arrive, and between two pieces of content. Default: 5m.',
      ),
    idle: duration.optional().describe('Longest silence within an answer. Default: 2m.'),
    total: duration.optional().describe('Time allowed for the whole answer. Default: 1h.'),
  }),
);

export const timeout = z
  .union([duration, timeouts], {
    error: 'expected a duration, or connect, first_byte, first_content, idle, total',
  })
  .optional();
