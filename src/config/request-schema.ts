import { z } from 'zod';
import { text } from './words.ts';

/** Where a request goes and how its answer is read: the proxy's own to decide. */
const OWN: ReadonlySet<string> = new Set(['model', 'stream']);

const OWNED = 'model and stream are decided elsewhere: use `upstream` for the name of a model';
const field = text.refine((name) => !OWN.has(name), OWNED);

/** Changes to the requests of a provider, or of one of its models. */
export const requestChanges = z.strictObject({
  set: z
    .record(field, z.json())
    .optional()
    .describe('Fields that every request carries, whatever the client says.'),
  drop: z.array(field).optional().describe('Fields that are left out, and named in x-llmproxy-dropped.'),
  rename: z.record(field, field).optional().describe('Fields that are called otherwise.'),
  keep: z
    .array(field)
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
