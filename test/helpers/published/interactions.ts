/**
 * The types of interactions that Google publishes in its SDK (`@google/genai`, `Interactions`), checked strictly:
 * unknown fields are not allowed.
 * @see https://ai.google.dev/api/interactions-api
 */
import { z } from 'zod';
import { publishedProblems } from './problems.ts';

const count = z.int().min(0);
const time = z.iso.datetime({ offset: true });
const name = z.string().min(1);

const annotation = z.strictObject({
  type: z.literal('url_citation'),
  url: z.string().optional(),
  title: z.string().optional(),
  start_index: count.optional(),
  end_index: count.optional(),
});
const media = {
  mime_type: name.optional(),
  data: z.string().optional(),
  uri: z.string().optional(),
};
const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  annotations: z.array(annotation).optional(),
});
const content = z.discriminatedUnion('type', [
  text,
  z.strictObject({ type: z.literal('image'), ...media }),
  z.strictObject({ type: z.literal('audio'), ...media }),
  z.strictObject({ type: z.literal('document'), ...media }),
]);
const step = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('model_output'), content: z.array(content).optional() }),
  z.strictObject({
    type: z.literal('thought'),
    summary: z.array(text).optional(),
    signature: name.optional(),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: name,
    name,
    arguments: z.record(z.string(), z.unknown()),
  }),
]);
const usage = z.strictObject({
  total_input_tokens: count,
  total_cached_tokens: count,
  total_output_tokens: count,
  total_thought_tokens: count,
  total_tool_use_tokens: count,
  total_tokens: count,
});
const head = { id: name, model: name, object: z.literal('interaction'), created: time };
const ended = {
  status: z.enum(['completed', 'requires_action', 'incomplete']),
  updated: time,
  usage,
};

export const interaction = z.strictObject({ ...head, ...ended, steps: z.array(step) });

const delta = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('thought_summary'), content: text }),
  z.strictObject({ type: z.literal('thought_signature'), signature: name }),
  z.strictObject({ type: z.literal('arguments_delta'), arguments: z.string() }),
  z.strictObject({ type: z.literal('text_annotation_delta'), annotations: z.array(annotation).min(1) }),
  z.strictObject({ type: z.literal('image'), ...media }),
  z.strictObject({ type: z.literal('audio'), ...media }),
  z.strictObject({ type: z.literal('document'), ...media }),
]);
const event = z.discriminatedUnion('event_type', [
  z.strictObject({
    event_type: z.literal('interaction.created'),
    interaction: z.strictObject({ ...head, status: z.literal('in_progress') }),
  }),
  z.strictObject({ event_type: z.literal('step.start'), index: count, step }),
  z.strictObject({ event_type: z.literal('step.delta'), index: count, delta }),
  z.strictObject({ event_type: z.literal('step.stop'), index: count }),
  z.strictObject({
    event_type: z.literal('interaction.completed'),
    interaction: z.strictObject({ ...head, ...ended }),
  }),
  z.strictObject({
    event_type: z.literal('error'),
    error: z.strictObject({ code: name, message: z.string().min(1) }),
  }),
]);

/** The problems of an unstreamed answer that the proxy made, or of an event. */
export function interactionProblems(kind: 'interaction' | 'event', value: unknown): string[] {
  return publishedProblems(kind === 'event' ? event : interaction, value).map(
    (problem) => `${kind}: ${problem}`,
  );
}
