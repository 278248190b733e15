/**
 * The shape of a response, its items and its stream events that the Open Responses specification and OpenAI publish,
 * checked strictly: every required field is there, even if it is null, and no unknown ones.
 * @see https://www.openresponses.org/specification
 * @see https://platform.openai.com/docs/api-reference/responses/object
 */
import { z } from 'zod';

const count = z.int().min(0);
const epoch = z.int().min(0);
const text = z.string().nullable();

const likelihood = { token: z.string(), logprob: z.number(), bytes: z.array(z.int().min(0).max(255)) };
const logprobs = z.array(
  z.strictObject({ ...likelihood, top_logprobs: z.array(z.strictObject(likelihood)) }),
);

const annotation = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('url_citation'),
    url: z.string(),
    title: z.string(),
    start_index: count,
    end_index: count,
  }),
  z.strictObject({
    type: z.literal('file_citation'),
    file_id: z.string(),
    index: count,
    filename: z.string(),
  }),
]);

const part = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(annotation),
    logprobs,
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);
const summary = z.strictObject({ type: z.literal('summary_text'), text: z.string() });
const thought = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() });

const id = z.string().min(1);
const status = z.enum(['in_progress', 'completed', 'incomplete']);
const called = {
  id,
  status,
  call_id: z.string().min(1),
  name: z.string().min(1),
  namespace: z.string().optional(),
};

/** An output item. Items of tools that the provider ran are recognized only by their type. */
export const item = z.union([
  z.strictObject({
    type: z.literal('message'),
    id,
    status,
    role: z.literal('assistant'),
    content: z.array(part),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id,
    summary: z.array(summary),
    content: z.array(thought).optional(),
    encrypted_content: text.optional(),
    status: status.optional(),
  }),
  z.strictObject({ type: z.literal('function_call'), ...called, arguments: z.string() }),
  z.strictObject({ type: z.literal('custom_tool_call'), ...called, input: z.string() }),
  z.strictObject({
    type: z.literal('compaction'),
    id,
    encrypted_content: z.string(),
    created_by: z.string().optional(),
  }),
  z.looseObject({
    type: z.enum([
      'web_search_call',
      'code_interpreter_call',
      'image_generation_call',
      'file_search_call',
      'mcp_call',
    ]),
    id,
    status: z.string(),
  }),
]);

const usage = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.looseObject({ cached_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.looseObject({ reasoning_tokens: count }),
  total_tokens: count,
});

const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    schema: z.looseObject({}),
    description: text.optional(),
    strict: z.boolean(),
  }),
]);

const tool = z.union([
  z.strictObject({
    type: z.literal('function'),
    name: z.string(),
    description: text,
    parameters: z.looseObject({}).nullable(),
    strict: z.boolean().nullable(),
  }),
  z.looseObject({ type: z.string() }).refine(({ type }) => type !== 'function'),
]);

export const response = z.strictObject({
  id: z.string().startsWith('resp_'),
  object: z.literal('response'),
  created_at: epoch,
  completed_at: epoch.nullable(),
  status: z.enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
  background: z.boolean(),
  conversation: z
    .strictObject({ id: z.string().startsWith('conv_') })
    .nullable()
    .optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  frequency_penalty: z.number(),
  incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
  instructions: text,
  max_output_tokens: count.nullable(),
  max_tool_calls: count.nullable(),
  metadata: z.record(z.string(), z.string()),
  model: z.string(),
  output: z.array(item),
  parallel_tool_calls: z.boolean(),
  presence_penalty: z.number(),
  previous_response_id: text,
  prompt_cache_key: text,
  reasoning: z.strictObject({ effort: text, summary: text }).nullable(),
  safety_identifier: text,
  service_tier: z.string(),
  store: z.boolean(),
  temperature: z.number(),
  text: z.strictObject({ format, verbosity: z.enum(['low', 'medium', 'high']).optional() }),
  tool_choice: z.union([
    z.enum(['none', 'auto', 'required']),
    z.strictObject({ type: z.literal('function'), name: z.string() }),
  ]),
  tools: z.array(tool),
  top_logprobs: count,
  top_p: z.number(),
  truncation: z.enum(['auto', 'disabled']),
  usage: usage.nullable(),
  user: z.string().optional(),
});

/** A compacted conversation. */
export const compaction = z.strictObject({
  id: z.string().startsWith('resp_'),
  object: z.literal('response.compaction'),
  created_at: epoch,
  output: z.array(item).min(1),
  usage,
});

const inItem = { item_id: id, output_index: count };
const inText = { ...inItem, content_index: count };
const inSummary = { ...inItem, summary_index: count };

/** The fields of each event besides its type and number. */
const EVENTS: Readonly<Record<string, z.core.$ZodShape>> = {
  'response.queued': { response },
  'response.created': { response },
  'response.in_progress': { response },
  'response.completed': { response },
  'response.incomplete': { response },
  'response.failed': { response },
  'response.output_item.added': { output_index: count, item },
  'response.output_item.done': { output_index: count, item },
  'response.content_part.added': { ...inText, part },
  'response.content_part.done': { ...inText, part },
  'response.output_text.delta': { ...inText, delta: z.string(), logprobs },
  'response.output_text.done': { ...inText, text: z.string(), logprobs },
  'response.output_text.annotation.added': { ...inText, annotation_index: count, annotation },
  'response.refusal.delta': { ...inText, delta: z.string() },
  'response.refusal.done': { ...inText, refusal: z.string() },
  'response.reasoning_summary_part.added': { ...inSummary, part: summary },
  'response.reasoning_summary_part.done': { ...inSummary, part: summary },
  'response.reasoning_summary_text.delta': { ...inSummary, delta: z.string() },
  'response.reasoning_summary_text.done': { ...inSummary, text: z.string() },
  'response.function_call_arguments.delta': { ...inItem, delta: z.string() },
  'response.function_call_arguments.done': { ...inItem, name: z.string(), arguments: z.string() },
  'response.custom_tool_call_input.delta': { ...inItem, delta: z.string() },
  'response.custom_tool_call_input.done': { ...inItem, input: z.string() },
  error: { code: text, message: z.string(), param: text },
};

const events = Object.entries(EVENTS).map(([type, fields]) =>
  z.strictObject({ type: z.literal(type), sequence_number: count, ...fields }),
);
type Event = (typeof events)[number];

export const responseStreamEvent = z.discriminatedUnion('type', events as [Event, ...Event[]]);
