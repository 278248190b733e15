/** A message as Anthropic's reference describes it, checked strictly: an unknown field or type is a problem. */
import { z } from 'zod';

const count = z.int().min(0);

const citation = z.looseObject({ type: z.string(), cited_text: z.string() });

const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(citation).nullable().optional(),
});

const thinking = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string(),
});

const redacted = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string().min(1) });

const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_.:-]+$/),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  caller: z.looseObject({ type: z.string() }).optional(),
});

const serverToolUse = z.strictObject({
  type: z.literal('server_tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  caller: z.looseObject({ type: z.string() }).optional(),
});

const serverToolResult = z.looseObject({
  type: z.string().endsWith('_tool_result'),
  tool_use_id: z.string().min(1),
  content: z.unknown(),
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

const usage = z.strictObject({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count.nullable(),
  cache_read_input_tokens: count.nullable(),
  cache_creation: z
    .strictObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
    .nullable()
    .optional(),
  output_tokens_details: z.strictObject({ thinking_tokens: count }).nullable().optional(),
  server_tool_use: z.looseObject({ web_search_requests: count }).nullable().optional(),
  service_tier: z.enum(['standard', 'priority', 'batch']).nullable().optional(),
  inference_geo: z.string().nullable().optional(),
  speed: z.enum(['standard', 'fast']).nullable().optional(),
});

const message = z.strictObject({
  id: z.string().min(1),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  content: z.array(z.union([text, thinking, redacted, toolUse, serverToolUse, serverToolResult])),
  stop_reason: stopReason,
  stop_sequence: z.string().nullable(),
  stop_details: z
    .strictObject({
      type: z.literal('refusal'),
      category: z.string().nullable().optional(),
      explanation: z.string().nullable().optional(),
    })
    .nullable()
    .optional(),
  container: z.unknown().optional(),
  diagnostics: z.unknown().optional(),
  usage,
});

/** The problems of an unstreamed message. */
export function messageProblems(value: unknown): string[] {
  const { error } = message.safeParse(value);
  return (error?.issues ?? []).map(({ path, message: words }) => `${path.join('.')}: ${words}`);
}
