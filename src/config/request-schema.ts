import { z } from 'zod';
import { text } from './words.ts';

/** Where a request goes and how its answer is read: the proxy's own to decide. */
const OWN: ReadonlySet<string> = new Set(['model', 'stream']);

const OWNED = 'model and stream are decided elsewhere: use `upstream` for the name of a model';

/**
 * Dots part names, `[]` stands for each element of a list, and a dot that is part of a name has a backslash before it. `parsePath`
 * of the wire reads the same.
 */
const PLACE = /^(?:(?:\\[\\.[]|[^\\.[\]])+(?:\[\])?\.)*(?:\\[\\.[]|[^\\.[\]])+$/;
const NO_PLACE =
  'expected a field such as `top_k`, `reasoning.effort` or `messages[].name`, where [] stands for each element of a list';

const place = text.regex(PLACE, NO_PLACE).refine((name) => !OWN.has(name.split(/[.[]/)[0]!), OWNED);

/** Values by places, each of which is told what is wrong with it. */
function byPlace<Value extends z.ZodType>(value: Value): z.ZodRecord<z.ZodString, Value> {
  return z.record(z.string(), value).superRefine((record, context) => {
    for (const name of Object.keys(record)) {
      const [flaw] = place.safeParse(name).error?.issues ?? [];
      if (flaw) context.addIssue({ code: 'custom', path: [name], message: flaw.message });
    }
  });
}

/** What leads to the last list of a place, of which each element is meant. */
function listOf(name: string): string {
  return name.slice(0, name.lastIndexOf('[]') + 1);
}

/** Changes to the requests of a provider, or of one of its models. */
export const requestChanges = z.strictObject({
  set: byPlace(z.json()).optional().describe('Fields that every request carries, whatever the client says.'),
  drop: z.array(place).optional().describe('Fields that are left out, and named in x-llmproxy-dropped.'),
  rename: byPlace(place)
    .superRefine((renames, context) => {
      for (const [from, to] of Object.entries(renames)) {
        if (listOf(from) === listOf(to)) continue;
        const message = `${from} cannot become ${to}: both must be in the same elements of the same list`;
        context.addIssue({ code: 'custom', path: [from], message });
      }
    })
    .optional()
    .describe('Fields that are called otherwise.'),
  keep: z
    .array(text)
    .optional()
    .describe('Fields that are sent although the vendor is thought to refuse them. See docs/providers.md.'),
  roles: z
    .record(text, text)
    .optional()
    .describe('Other names for roles of chat messages, such as `{developer: system}`.'),
  system_first: z
    .boolean()
    .optional()
    .describe('Instructions behind the beginning of a chat become the words of the user.'),
  efforts: z
    .array(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']))
    .optional()
    .describe(
      'Efforts of reasoning that it takes; others become the next lower one. Empty: it does not reason.',
    ),
});

/** By which of OpenAI's APIs chats are asked. */
export const api = z.enum(['chat', 'responses']);

export type RequestChanges = z.output<typeof requestChanges>;

const ability = z.boolean().optional();

/** What models take, by the names that `wire/facts/abilities.ts` explains; a test holds both to each other. */
export const abilities = z.strictObject({
  vision: ability.describe('Pictures.'),
  audio: ability.describe('Sound.'),
  files: ability.describe('Documents and other files.'),
  tools: ability.describe('Functions to call.'),
  parallel_tools: ability.describe('Being told to call one function at a time.'),
  hosted_tools: ability.describe('Tools that the provider runs, such as a search of the web.'),
  reasoning: ability.describe('Being told how hard to think.'),
  sampling: ability.describe('temperature, top_p and top_k.'),
  penalties: ability.describe('Penalties and biases of tokens.'),
  logprobs: ability.describe('Log probabilities of tokens.'),
  several_answers: ability.describe('Several answers to one request.'),
  stop: ability.describe('Sequences that end an answer.'),
  json_object: ability.describe('Being told to answer with JSON.'),
  json_schema: ability.describe('A schema of the answer.'),
  json_with_tools: ability.describe('A form of the answer beside functions.'),
  system: ability.describe('Instructions apart from what the user says.'),
  late_system: ability.describe('Instructions behind the beginning of a conversation.'),
  blank_text: ability.describe('Texts of white space alone.'),
  assistant_first: ability.describe('Conversations that the assistant begins.'),
  media_in_results: ability.describe('Pictures and files in the results of functions.'),
  failed_results: ability.describe('A mark on the results of functions that failed.'),
  said_pictures: ability.describe('Pictures among what the model said before.'),
});
