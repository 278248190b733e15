/**
 * Anthropic's published shape of a message and of its stream events, checked strictly: every required field is there,
 * and no unknown ones.
 * @see https://docs.anthropic.com/en/api/messages
 */
import { z } from 'zod';

const count = z.int().min(0);
const caller = z.strictObject({ type: z.literal('direct') });

const document = {
  cited_text: z.string(),
  document_index: count,
  document_title: z.string().nullable(),
  file_id: z.string().nullable().optional(),
};
export const citation = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('char_location'),
    ...document,
    start_char_index: count,
    end_char_index: count,
  }),
  z.strictObject({
    type: z.literal('page_location'),
    ...document,
    start_page_number: count,
    end_page_number: count,
  }),
  z.strictObject({
    type: z.literal('content_block_location'),
    ...document,
    start_block_index: count,
    end_block_index: count,
  }),
  z.strictObject({
    type: z.literal('web_search_result_location'),
    cited_text: z.string(),
    encrypted_index: z.string(),
    title: z.string().nullable(),
    url: z.string(),
  }),
]);

const searchResult = z.strictObject({
  type: z.literal('web_search_result'),
  url: z.string(),
  title: z.string(),
  encrypted_content: z.string(),
  page_age: z.string().nullable(),
});

export const contentBlock = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: z.string(),
    // The type allows `null` too, which some clients reject.
    citations: z.array(citation),
  }),
  z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.strictObject({ type: z.literal('redacted_thinking'), data: z.string().min(1) }),
  z.strictObject({
    type: z.literal('tool_use'),
    id: z.string().min(1),
    name: z.string().min(1),
    input: z.record(z.string(), z.unknown()),
    caller,
  }),
  z.strictObject({
    type: z.literal('server_tool_use'),
    id: z.string().startsWith('srvtoolu_'),
    name: z.enum(['web_search', 'web_fetch', 'code_execution']),
    input: z.record(z.string(), z.unknown()),
    caller,
  }),
  z.strictObject({
    type: z.literal('web_search_tool_result'),
    tool_use_id: z.string(),
    content: z.array(searchResult),
    caller,
  }),
  z.strictObject({
    type: z.literal('code_execution_tool_result'),
    tool_use_id: z.string(),
    content: z.looseObject({ type: z.literal('code_execution_result') }),
  }),
]);

const details = z.strictObject({ thinking_tokens: count }).nullable();
const serverTools = z.strictObject({ web_fetch_requests: count, web_search_requests: count }).nullable();

const counted = {
  cache_creation_input_tokens: count.nullable(),
  cache_read_input_tokens: count.nullable(),
  output_tokens: count,
  output_tokens_details: details,
  server_tool_use: serverTools,
};
const ofAnswers = {
  cache_creation: z
    .strictObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
    .nullable(),
  inference_geo: z.string().nullable(),
  service_tier: z.enum(['standard', 'priority', 'batch']).nullable(),
  speed: z.enum(['standard', 'fast']).nullable(),
};
const usage = z.strictObject({ input_tokens: count, ...counted, ...ofAnswers });
/** The usage in a delta has fewer fields; any others are those of a message's usage. */
const deltaUsage = z.strictObject({
  input_tokens: count.nullable(),
  ...counted,
  ...z.object(ofAnswers).partial().shape,
});

const stopReason = z.enum([
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
]);
const stop = {
  stop_sequence: z.string().nullable(),
  stop_details: z
    .strictObject({
      type: z.literal('refusal'),
      category: z.string().nullable(),
      explanation: z.string().nullable(),
    })
    .nullable(),
  container: z.null(),
};
const head = {
  id: z.string().startsWith('msg_'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  diagnostics: z.null(),
  ...stop,
};

export const message = z.strictObject({
  ...head,
  content: z.array(contentBlock),
  stop_reason: stopReason,
  usage,
});

const index = count;
const delta = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text_delta'), text: z.string() }),
  z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string() }),
  z.strictObject({ type: z.literal('signature_delta'), signature: z.string() }),
  z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string() }),
  z.strictObject({ type: z.literal('citations_delta'), citation }),
]);

export const error = z.strictObject({
  type: z.literal('error'),
  error: z.looseObject({ type: z.string().min(1), message: z.string() }),
  request_id: z.string().nullable(),
});

export const messageStreamEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message_start'),
    message: z.strictObject({ ...head, content: z.tuple([]), stop_reason: z.null(), usage }),
  }),
  z.strictObject({ type: z.literal('content_block_start'), index, content_block: contentBlock }),
  z.strictObject({ type: z.literal('content_block_delta'), index, delta }),
  z.strictObject({ type: z.literal('content_block_stop'), index }),
  z.strictObject({
    type: z.literal('message_delta'),
    delta: z.strictObject({ stop_reason: stopReason, ...stop }),
    usage: deltaUsage,
  }),
  z.strictObject({ type: z.literal('message_stop') }),
  z.strictObject({ type: z.literal('ping') }),
  error,
]);

export const modelInfo = z.strictObject({
  type: z.literal('model'),
  id: z.string().min(1),
  display_name: z.string(),
  created_at: z.iso.datetime(),
  capabilities: z.looseObject({}).nullable(),
  max_input_tokens: count.nullable(),
  max_tokens: count.nullable(),
  lifecycle: z.enum(['active', 'deprecated', 'retired']),
  line: z.looseObject({}).nullable(),
  deprecated_at: z.iso.datetime().nullable(),
  retires_at: z.iso.datetime().nullable(),
});

export const modelPage = z.strictObject({
  data: z.array(modelInfo),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});
