/**
 * The log line: one per request, whatever its outcome. The head comes first, in this order, and holds every field that
 * a filter may need; the content of request and answer follows it, so that `export` can decide on the first bytes of a
 * line. docs/log-format.md is generated from the `describe()` texts.
 */
import { z } from 'zod';
import { ENDPOINT_NAMES } from '../wire/endpoints.ts';
import { SERVICE_TIERS } from '../service-tiers.ts';
import { UNITS } from '../wire/units.ts';
import { OUTCOMES, RECORD_VERSION } from './record.ts';

const count = z.number().int().nonnegative();

/** A quantity that was used, and its cost. */
const charge = {
  input_tokens: count.describe('Input tokens.'),
  output_tokens: count.describe('Output tokens.'),
  cost: z.number().nonnegative().nullable().describe("Cost in USD; null if the model's price is unknown."),
};

const units = z.partialRecord(z.enum(Object.values(UNITS)), z.number().nonnegative());

/** What another inference has used. */
const iteration = z.object({
  model: z
    .string()
    .nullable()
    .describe('The model, by the name that the provider reports; null if it is the one that answered.'),
  input_tokens: charge.input_tokens,
  cached_tokens: count.describe('Input tokens read from a prompt cache.'),
  cache_write_tokens: count.describe('Input tokens written to a prompt cache.'),
  output_tokens: charge.output_tokens,
  units: units.optional().describe('Parts of these tokens with a price of their own, if any.'),
});

/** The fields of the head, in the order in which they are written. */
export const head = z.object({
  v: z.literal(RECORD_VERSION).describe('Version of this format.'),
  ts: z.iso.datetime().describe('Time at which the request arrived: UTC, with milliseconds.'),
  id: z.string().describe('Request ID, the same as in the x-request-id header.'),
  outcome: z
    .enum(OUTCOMES)
    .describe(
      'success: a complete answer. truncated: cut off after content was sent, or complete but with an unknown finish reason (fault unknown_ending). client_abort: the client disconnected. error: everything else.',
    ),
  status: z.number().int().describe('HTTP status sent to the client; 499 if it disconnected first.'),
  endpoint: z
    .enum([...ENDPOINT_NAMES, 'feedback', 'passthrough'])
    .describe('The API endpoint that was called.'),
  stream: z.boolean().describe('Whether the client requested a stream.'),
  model: z.string().describe('The model that the client requested.'),
  provider: z
    .string()
    .nullable()
    .describe('Name of the provider that answered or, if none did, of the last one tried.'),
  upstream_model: z.string().nullable().describe('The model name sent to that provider.'),
  finish: z
    .string()
    .nullable()
    .describe(
      'Finish reason of the first choice: stop, length, tool_calls or content_filter; the provider’s own term if it corresponds to none of these; null if the provider sent none.',
    ),
  fault: z
    .string()
    .nullable()
    .describe('Class of the failure, as listed in docs/failover.md; null on success.'),
  attempts: count.describe('Number of attempts, across all providers.'),
  input_tokens: count
    .nullable()
    .describe('Input tokens, including cached ones; null if the provider did not report them.'),
  cached_tokens: count.nullable().describe('Input tokens read from a prompt cache; part of `input_tokens`.'),
  cache_write_tokens: count
    .nullable()
    .describe('Input tokens written to a prompt cache; part of `input_tokens`.'),
  output_tokens: count.nullable().describe('Output tokens, including reasoning.'),
  reasoning_tokens: count.nullable().describe('Reasoning tokens; part of `output_tokens`.'),
  cost: z
    .number()
    .nonnegative()
    .nullable()
    .describe("Cost in USD by the price table; null if the model's price is unknown."),
  latency_ms: z
    .number()
    .nonnegative()
    .describe("Time from the request's arrival to the end of the answer, in milliseconds."),
  first_content_ms: z
    .number()
    .nonnegative()
    .nullable()
    .describe("Time from the request's arrival to the first content of a stream, in milliseconds."),
  key: z.string().nullable().describe('Name of the client key; null if the proxy needs none.'),
  conversation: z
    .string()
    .nullable()
    .describe('Conversation ID from the x-conversation-id or x-session-id header.'),
  score: z
    .number()
    .nullable()
    .describe('In feedback records, the score from -1 to 1; null in all other records.'),
  user: z
    .string()
    .nullable()
    .optional()
    .describe(
      "The end user, as named by the client in `user`, `safety_identifier` or Anthropic's `metadata.user_id`.",
    ),
  tags: z
    .record(z.string(), z.string())
    .nullable()
    .optional()
    .describe(
      "Tags from the header x-llmproxy-tags (`team=search, run=7`) and the text values of OpenAI's `metadata`.",
    ),
  group: z.string().optional().describe('Group of the client key, if it has one.'),
  labels: z.record(z.string(), z.string()).optional().describe('Labels of the client key, if it has any.'),
  estimate: z
    .object(charge)
    .optional()
    .describe(
      'What limits were charged instead of the tokens above, if the provider did not report all usage, as when a stream is cut off.',
    ),
  failed: z
    .object(charge)
    .optional()
    .describe(
      'Usage of attempts that failed or lost to another one, as far as their providers reported it. Limits are charged for it in addition to the tokens above, which do not include it.',
    ),
  units: units
    .optional()
    .describe(
      `Usage with a price of its own, if any: parts of the tokens above, and units other than tokens (${Object.values(UNITS).join(', ')}).`,
    ),
  iterations: z
    .array(iteration)
    .optional()
    .describe(
      'Inferences besides those that wrote the answer, if the provider reports any: one that condenses the conversation, or that of an adviser. Their tokens are part of the tokens above; each is priced on its own.',
    ),
  tiers: z
    .array(z.enum(SERVICE_TIERS))
    .optional()
    .describe(
      'Service tiers with a price of their own in which the answer was computed, if the provider reports any: flex, priority, fast (Anthropic), us (inference within the United States).',
    ),
  reported_cost: z
    .number()
    .nonnegative()
    .optional()
    .describe('What the provider says that the answer costs, USD, if it does.'),
});

const attempt = z.object({
  target: z.string().describe('"provider/model".'),
  fault: z.string().nullable().describe('Class of the failure; null if the attempt succeeded.'),
  status: z.number().int().nullable().describe('HTTP status of the provider; null if there was none.'),
  ms: z.number().nonnegative().describe('Duration of the attempt in milliseconds.'),
  input_tokens: count
    .optional()
    .describe('Input tokens, if the attempt failed but the provider reported them.'),
  output_tokens: count.optional().describe('Output tokens, in the same case.'),
  cost: z.number().nonnegative().nullable().optional().describe('Cost in USD, in the same case.'),
  redacted: z
    .record(z.string(), count)
    .optional()
    .describe(
      'If the request was searched before it was sent (`redact`): how many values were replaced, by kind. `request` is what the client sent.',
    ),
});

const feedback = z.object({
  request_id: z.string().describe('ID of the request that the feedback is about.'),
  score: z.number().optional().describe('Score from -1 to 1.'),
  label: z.boolean().optional().describe('Whether the answer was good.'),
  correction: z
    .unknown()
    .optional()
    .describe('What the answer should have been: a text or a message. Only if `content` is full.'),
  comment: z.string().optional().describe('A comment. Only if `content` is full.'),
});

const part = z.object({
  target: z.string().describe('"provider/model".'),
  fault: z.string().nullable().describe('What ended the part; null for the last part if it was complete.'),
  input_tokens: count.nullable().describe('Input tokens; null if the provider did not report them.'),
  output_tokens: count.nullable().describe('Output tokens; null if the provider did not report them.'),
});

const session = z.object({
  closed_by: z.enum(['client', 'provider', 'proxy']).describe('Who closed the session.'),
  client_code: z.number().int().nullable().describe('Close code sent by the client; null if it sent none.'),
  provider_code: z
    .number()
    .int()
    .nullable()
    .describe('Close code sent by the provider; null if it sent none.'),
  client_events: count.describe('Messages from the client, including refused ones.'),
  provider_events: count.describe('Messages from the provider.'),
  responses: count.describe('Completed answers.'),
  refused: count.describe('Messages from the client that were not forwarded because a limit was used up.'),
});

const passed = z.object({
  method: z.string().describe('HTTP method.'),
  path: z.string().describe('Path below the base URL, with IDs replaced by {id}.'),
});

/** The fields after the head. */
export const body = z.object({
  feedback: feedback.optional().describe('The feedback that was given on an answer, in feedback records.'),
  trace_id: z.string().optional().describe('Trace ID, if the request was traced (`telemetry`).'),
  lane: z
    .enum(['relay', 'translate'])
    .nullable()
    .describe('relay: bytes were forwarded unchanged. translate: they were translated between protocols.'),
  overhead_ms: z
    .number()
    .nonnegative()
    .optional()
    .describe(
      'Time spent in the proxy itself, in milliseconds: from arrival to the end of an unstreamed answer or the start of a stream, without the time spent waiting for the request body, for providers, or between attempts.',
    ),
  request_bytes: count.describe('Size of the request body in bytes, after decompression.'),
  response_bytes: count.describe('Size of the response body in bytes, as sent to the client.'),
  user_agent: z.string().nullable().describe('The User-Agent header of the client.'),
  error: z.string().nullable().describe('Error message.'),
  attempt_log: z.array(attempt).describe('All attempts, in order.'),
  parts: z
    .array(part)
    .optional()
    .describe(
      'The parts of a stream that was cut off and resumed, in order. The tokens and cost above are their sums.',
    ),
  session: session.optional().describe('Summary of a realtime session.'),
  passed: passed
    .optional()
    .describe('Method and path of a request that was forwarded unchanged (passthrough).'),
  malformed: count.optional().describe('Number of stream events that were not valid JSON and were left out.'),
  answer_dropped: z
    .array(z.string())
    .optional()
    .describe(
      'Parts of the answer that the client did not receive because its protocol cannot express them, such as `image (2)`. They are also named in the header `x-llmproxy-answer-dropped`, or in a comment at the end of a stream.',
    ),
  content: z
    .enum(['full', 'metadata', 'none', 'expired'])
    .describe(
      'How much of the request and response the log was set to keep. `none` also leaves out user_agent, conversation and the text of `error`. `expired`: what people and models wrote was removed later, as set by `retention.content`, together with user_agent, the text of `error`, and the corrections and comments of feedback.',
    ),
  omitted: z
    .array(z.string())
    .optional()
    .describe(
      '"request" or "response" if it was left out because it was too long or not text, could not be redacted, or because too many answers were in progress.',
    ),
  request: z.unknown().optional().describe('The request body, as the client sent it.'),
  response: z
    .unknown()
    .optional()
    .describe("The whole response in the client's protocol; a stream is assembled into one object."),
});

export const recordSchema = head.extend(body.shape);
