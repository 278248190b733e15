/**
 * The log line: one per request, whatever happened to it. The head comes first, in this order, and holds every
 * field that a filter could want; what people and models wrote comes after it, so that `export` can decide on
 * the first bytes of a line. docs/log-format.md is made from the `describe()` texts.
 */
import { z } from 'zod';
import { ENDPOINT_NAMES } from '../wire/endpoints.ts';
import { UNITS } from '../wire/usage.ts';
import { OUTCOMES, RECORD_VERSION } from './record.ts';

const count = z.number().int().nonnegative();

/** What something used, and what that costs. */
const charge = {
  input_tokens: count.describe('Tokens in.'),
  output_tokens: count.describe('Tokens out.'),
  cost: z.number().nonnegative().nullable().describe('USD, null when the model has no known price.'),
};

/** Fields of the head, in the order they are written. */
export const head = z.object({
  v: z.literal(RECORD_VERSION).describe('Version of this format.'),
  ts: z.iso.datetime().describe('When the request arrived, UTC, milliseconds.'),
  id: z.string().describe('Request id, the same as in the x-request-id header.'),
  outcome: z
    .enum(OUTCOMES)
    .describe(
      'success: a complete answer. truncated: cut after content was sent, or complete with a finish reason that is not known (fault unknown_ending). client_abort: the client left. error: the rest.',
    ),
  status: z.number().int().describe('HTTP status the client got; 499 when it left before.'),
  endpoint: z.enum([...ENDPOINT_NAMES, 'feedback', 'passthrough']).describe('Which API was called.'),
  stream: z.boolean().describe('Whether the client asked for a stream.'),
  model: z.string().describe('The model the client asked for.'),
  provider: z.string().nullable().describe('Name of the provider that answered, or was asked last.'),
  upstream_model: z.string().nullable().describe('The model name that provider was asked for.'),
  finish: z
    .string()
    .nullable()
    .describe(
      'Finish reason of the first choice: stop, length, tool_calls or content_filter; the provider’s own word where it means none of these; null where the provider gave none.',
    ),
  fault: z
    .string()
    .nullable()
    .describe('Class of the failure, null on success; docs/failover.md lists them.'),
  attempts: count.describe('How often a provider was asked.'),
  input_tokens: count
    .nullable()
    .describe('Tokens in, cached ones included; null when the provider did not say.'),
  cached_tokens: count.nullable().describe('Of these, read from a prompt cache.'),
  cache_write_tokens: count.nullable().describe('Of these, written to a prompt cache.'),
  output_tokens: count.nullable().describe('Tokens out, reasoning included.'),
  reasoning_tokens: count.nullable().describe('Of these, reasoning.'),
  cost: z
    .number()
    .nonnegative()
    .nullable()
    .describe('USD by the price table; null when the model has no known price.'),
  latency_ms: z.number().nonnegative().describe('From arrival to the end of the answer, milliseconds.'),
  first_content_ms: z
    .number()
    .nonnegative()
    .nullable()
    .describe('From arrival to the first content of a stream.'),
  key: z.string().nullable().describe('Name of the client key, null when the proxy is open.'),
  conversation: z.string().nullable().describe('Id from the x-conversation-id or x-session-id header.'),
  score: z.number().nullable().describe('Of feedback: the score from -1 to 1. Null in all other records.'),
  user: z
    .string()
    .nullable()
    .optional()
    .describe(
      "Who the client says its end user is: `user`, `safety_identifier` or Anthropic's `metadata.user_id`.",
    ),
  tags: z
    .record(z.string(), z.string())
    .nullable()
    .optional()
    .describe(
      "From the header x-llmproxy-tags (`team=search, run=7`), and the texts of OpenAI's `metadata`.",
    ),
  group: z.string().optional().describe('The group of the client key, where it has one.'),
  labels: z
    .record(z.string(), z.string())
    .optional()
    .describe('Labels of the client key, where it has some.'),
  estimate: z
    .object(charge)
    .optional()
    .describe(
      'What limits were charged in place of the tokens above where the provider did not tell all that was used, as when a stream is cut.',
    ),
  failed: z
    .object(charge)
    .optional()
    .describe(
      'What attempts used that failed, or lost to another, as far as their providers told it. Limits are charged with it beside the tokens above, which leave it out.',
    ),
  units: z
    .partialRecord(z.enum(Object.values(UNITS)), z.number().nonnegative())
    .optional()
    .describe(
      `What has a price of its own, where there is any: parts of the tokens above, and what is no token (${Object.values(UNITS).join(', ')}).`,
    ),
});

const attempt = z.object({
  target: z.string().describe('"provider/model".'),
  fault: z.string().nullable().describe('Class of the failure, null when it answered.'),
  status: z.number().int().nullable().describe('HTTP status of the provider, null when there was none.'),
  ms: z.number().nonnegative().describe('How long the attempt took.'),
  input_tokens: count.optional().describe('Tokens in, where it failed and told them all the same.'),
  output_tokens: count.optional().describe('Tokens out, in the same case.'),
  cost: z.number().nonnegative().nullable().optional().describe('USD, in the same case.'),
});

const feedback = z.object({
  request_id: z.string().describe('The request it is about.'),
  score: z.number().optional().describe('From -1 to 1.'),
  label: z.boolean().optional().describe('Good or bad.'),
  correction: z
    .unknown()
    .optional()
    .describe('What the answer should have been: text, or a message. Only with content full.'),
  comment: z.string().optional().describe('Only with content full.'),
});

const part = z.object({
  target: z.string().describe('"provider/model".'),
  fault: z.string().nullable().describe('What ended the part, null for the last when it was complete.'),
  input_tokens: count.nullable().describe('Tokens in, null when the provider did not say.'),
  output_tokens: count.nullable().describe('Tokens out, null when the provider did not say.'),
});

const session = z.object({
  closed_by: z.enum(['client', 'provider', 'proxy']).describe('Who ended it.'),
  client_code: z.number().int().nullable().describe('Close code of the client, null where it sent none.'),
  provider_code: z.number().int().nullable().describe('Close code of the provider, null where it sent none.'),
  client_events: count.describe('Messages of the client, those that were refused included.'),
  provider_events: count.describe('Messages of the provider.'),
  responses: count.describe('Answers that came to their end.'),
  refused: count.describe('Messages of the client that were not sent on, because a limit was used up.'),
});

const passed = z.object({
  method: z.string().describe('Its method.'),
  path: z.string().describe('Its path below the base URL, with {id} in place of the ids in it.'),
});

/** Fields after the head. */
export const body = z.object({
  feedback: feedback.optional().describe('What was said of an answer, in records of feedback.'),
  trace_id: z.string().optional().describe('Of a request that is traced (`telemetry`): the id of its trace.'),
  lane: z
    .enum(['relay', 'translate'])
    .nullable()
    .describe('Bytes passed on unchanged, or translated between protocols.'),
  overhead_ms: z
    .number()
    .nonnegative()
    .optional()
    .describe(
      'How much of the time, to the end of an answer that is given whole or the begin of a stream, was not spent waiting: for the body of the request, for providers, or between attempts.',
    ),
  request_bytes: count.describe('Size of the request body, decompressed.'),
  response_bytes: count.describe('Size of the response body as sent to the client.'),
  user_agent: z.string().nullable().describe('The client program.'),
  error: z.string().nullable().describe('What went wrong, in words.'),
  attempt_log: z.array(attempt).describe('Each attempt in order.'),
  parts: z
    .array(part)
    .optional()
    .describe(
      'Of a stream that was cut and resumed: its parts in order. Tokens and cost above are their sums.',
    ),
  session: session.optional().describe('Of a realtime session: how it went.'),
  passed: passed.optional().describe('Of a request that only passes: what it was.'),
  malformed: count.optional().describe('Events of the stream that were no JSON and were left out.'),
  answer_dropped: z
    .array(z.string())
    .optional()
    .describe(
      "What the client was not told of the answer because its protocol has no word for it, such as `image (2)`: also in the header `x-llmproxy-answer-dropped`, or in a comment at a stream's end.",
    ),
  content: z
    .enum(['full', 'metadata', 'none', 'expired'])
    .describe(
      'What was to be kept of request and response. `none` also leaves out user_agent, conversation and the words of `error`. `expired`: what people and models wrote was taken out later, as `retention.content` says, together with user_agent, the words of `error`, and the corrections and comments of feedback.',
    ),
  omitted: z
    .array(z.string())
    .optional()
    .describe(
      '"request" or "response" when it was too long or not text to be kept, or when too many answers were in progress.',
    ),
  request: z.unknown().optional().describe('The request body as the client sent it.'),
  response: z
    .unknown()
    .optional()
    .describe("The whole response in the client's protocol; a stream is assembled into one object."),
});

export const recordSchema = head.extend(body.shape);
