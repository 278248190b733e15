/** `limits`: what clients may send, and the resources they may use. */
import { z } from 'zod';
import { duration, size } from '../units.ts';
import { count, rate } from '../words.ts';

export const limits = z.strictObject({
  max_body: size
    .prefault('32MiB')
    .describe('Largest request body, after decompression; larger ones get a 413.'),
  max_depth: z
    .number()
    .int()
    .positive()
    .default(512)
    .describe('Deepest nesting of objects and arrays in the JSON of a request; deeper ones get a 400.'),
  max_values: z
    .number()
    .int()
    .positive()
    .default(1_000_000)
    .describe('Most JSON values in a request, including nested ones; more get a 400.'),
  max_fields: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe('Most objects and object fields in a request, added together; more get a 400.'),
  max_object_fields: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('Most fields in a single object of a request; more get a 400.'),
  max_feedback: size.prefault('64KiB').describe('Largest body of POST /v1/feedback.'),
  max_response: size.prefault('64MiB').describe('Largest answer accepted from a provider, streamed or not.'),
  max_buffered: size
    .prefault('512MiB')
    .describe('Memory for request bodies, all requests together; beyond it, requests get a 503.'),
  max_buffered_share: rate
    .default(0.5)
    .describe(
      'Share of max_buffered that the request bodies of one client may use; beyond it, that client gets a 429. A client is a key, or an address where there are no keys: behind a load balancer without keys, all clients count as one. One body of max_body is always accepted.',
    ),
  body_timeout: duration
    .prefault('1m')
    .describe('Time a client has to send its request; slower ones get a 408.'),
  replay_memory: size
    .prefault('16MiB')
    .describe(
      'Memory for two things: signatures that models expect back with their tool calls, kept for clients that drop them, and items of responses that clients refer to by ID.',
    ),
  max_unread: size
    .prefault('512MiB')
    .describe(
      'Memory for answers that clients read more slowly than providers send them, all together. A stream counts as 4 MiB; any other answer above 1 MiB counts with its size. Beyond it, the slowest readers are disconnected.',
    ),
  max_recording: size
    .prefault('512MiB')
    .describe(
      'Memory for assembling streamed answers for the request log, all together, measured by their events. Beyond it, the longest answers are left out of their records and marked as such; the streams themselves continue.',
    ),
  client_stall: duration
    .prefault('5m')
    .describe('How long a client may stop reading its answer before it is disconnected.'),
  max_concurrent: z
    .number()
    .int()
    .positive()
    .default(4096)
    .describe('Most requests in flight at once; further ones get a 503.'),
  assumed_output: count
    .prefault(4096)
    .describe(
      "Tokens to reserve for an answer when neither the request nor the model's `max_output` limits it.",
    ),
  realtime: z
    .strictObject({
      max_message: size
        .prefault('16MiB')
        .describe('Largest message in either direction; a larger one closes the session.'),
      max_unsent: size
        .prefault('4MiB')
        .describe(
          'Most data waiting to be sent to either side. Beyond it the session is closed; nothing is dropped silently.',
        ),
      idle: duration
        .prefault('15m')
        .describe('How long a session may be silent on both sides before it is closed.'),
      duration: duration
        .prefault('2h')
        .describe('Longest duration of a session. Providers have limits of their own.'),
      max_streams: z
        .number()
        .int()
        .min(1)
        .default(16)
        .describe(
          'Streams (`stream_id`) that one WebSocket connection to /v1/responses may have. See docs/responses.md.',
        ),
    })
    .prefault({})
    .describe('Limits of realtime sessions. See docs/realtime.md.'),
  max_passthrough: size
    .prefault('512MiB')
    .describe(
      'Largest body, in either direction, of requests forwarded unchanged to /providers/NAME/...; such bodies are not held in memory. See docs/passthrough.md.',
    ),
  max_callers: z
    .number()
    .int()
    .positive()
    .default(100_000)
    .describe(
      'Most keys, end users and addresses that limits count separately, all limits together. Beyond it, those whose windows have ended are forgotten first; then new ones share a single count per limit. A tenth is left to keys and groups, so that users whom a client names cannot take all; and those of one group never take more than eight times what they leave free for those of others.',
    ),
});
