import { z } from 'zod';
import { onDemand, text } from '../words.ts';

/** Fields that determine where a request goes and how its answer is read: these belong to the proxy. */
const OWN: ReadonlySet<string> = new Set(['model', 'stream']);

const OWNED = 'model and stream are decided elsewhere: use `upstream` for the name of a model';

/**
 * Dots separate names, `[]` stands for each element of a list, and a dot within a name is escaped by a backslash.
 * `parsePath` in `wire` parses the same syntax.
 */
const PLACE = /^(?:(?:\\[\\.[]|[^\\.[\]])+(?:\[\])?\.)*(?:\\[\\.[]|[^\\.[\]])+$/;
const NO_PLACE =
  'expected a field such as `top_k`, `reasoning.effort` or `messages[].name`, where [] means each element of a list';

const place = text.regex(PLACE, NO_PLACE).refine((name) => !OWN.has(name.split(/[.[]/)[0]!), OWNED);

/** Values by path; errors are reported for each path. */
function byPlace<Value extends z.ZodType>(value: Value): z.ZodRecord<z.ZodString, Value> {
  return z.record(z.string(), value).superRefine((record, context) => {
    for (const name of Object.keys(record)) {
      const [flaw] = place.safeParse(name).error?.issues ?? [];
      if (flaw) context.addIssue({ code: 'custom', path: [name], message: flaw.message });
    }
  });
}

/** The part of a path before its last list, all of whose elements are meant. */
function listOf(name: string): string {
  return name.slice(0, name.lastIndexOf('[]') + 1);
}

/** Changes to requests for a provider, or for one of its models. */
export const requestChanges = onDemand(() =>
  z.strictObject({
    set: byPlace(z.json()).optional().describe('Fields to set in every request, whatever the client sends.'),
    drop: z.array(place).optional().describe('Fields to remove; they are named in x-llmproxy-dropped.'),
    rename: byPlace(place)
      .superRefine((renames, context) => {
        for (const [from, to] of Object.entries(renames)) {
          if (listOf(from) === listOf(to)) continue;
          const message = `${from} cannot become ${to}: both must be in the same elements of the same list`;
          context.addIssue({ code: 'custom', path: [from], message });
        }
      })
      .optional()
      .describe('Fields to rename.'),
    keep: z
      .array(text)
      .optional()
      .describe('Fields to send although the vendor is believed to reject them. See docs/providers.md.'),
    roles: z
      .record(text, text)
      .optional()
      .describe('Roles of chat messages to rename, such as `{developer: system}`.'),
    system_first: z
      .boolean()
      .optional()
      .describe('Turn instructions that come after the start of a chat into user messages.'),
    efforts: z
      .array(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']))
      .optional()
      .describe(
        'Reasoning efforts it supports; any other is replaced by the next lower one. An empty list means that it does not reason.',
      ),
  }),
);

/** Which of OpenAI's APIs is used for chats. */
export const api = z.enum(['chat', 'responses']);

export type RequestChanges = z.output<typeof requestChanges>;

const ability = z.boolean().optional();

/** The abilities of models, with the names that `wire/facts/abilities.ts` defines; a test compares the two. */
export const abilities = onDemand(() =>
  z.strictObject({
    vision: ability.describe('Image input.'),
    audio: ability.describe('Audio input.'),
    files: ability.describe('Documents and other files as input.'),
    tools: ability.describe('Function calling.'),
    parallel_tools: ability.describe('Limiting the model to one function call at a time.'),
    hosted_tools: ability.describe('Tools that the provider runs, such as web search.'),
    reasoning: ability.describe('Setting the reasoning effort.'),
    sampling: ability.describe('temperature, top_p and top_k.'),
    penalties: ability.describe('Token penalties and logit biases.'),
    logprobs: ability.describe('Log probabilities of tokens.'),
    several_answers: ability.describe('Several answers to one request (`n`).'),
    stop: ability.describe('Stop sequences.'),
    json_object: ability.describe('JSON mode, without a schema.'),
    json_schema: ability.describe('Structured output with a JSON schema.'),
    json_with_tools: ability.describe('Structured output together with functions.'),
    system: ability.describe("System instructions, separate from the user's messages."),
    late_system: ability.describe('System instructions after the start of a conversation.'),
    blank_text: ability.describe('Text that consists only of white space.'),
    assistant_first: ability.describe('Conversations that start with an assistant message.'),
    media_in_results: ability.describe('Images and files in function results.'),
    failed_results: ability.describe('Marking a function result as failed.'),
    said_pictures: ability.describe('Images in earlier assistant messages.'),
  }),
);
