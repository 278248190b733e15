/** What is taken out of requests on their way to a provider. */
import { z } from 'zod';
import { REDACT_KINDS, redactKinds } from '../redact-kinds.ts';
import type { CustomPattern } from '../redact-patterns.ts';
import { customPattern } from '../redact-patterns.ts';
import { duration } from '../units.ts';
import { onDemand } from '../words.ts';

const pattern = z.string().transform((written, context): CustomPattern => {
  try {
    return customPattern(written);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a pattern: ${(error as Error).message}` });
    return z.NEVER;
  }
});

/** Becomes the rule that `src/redact/outward` follows: plain data, so that it can go to another thread. */
export const redaction = onDemand(() =>
  z
    .strictObject({
      out: z
        .array(z.enum([...REDACT_KINDS, 'all']))
        .default([])
        .describe(
          'Kinds of secrets and personal data to replace with placeholders such as `[EMAIL_1]`: `[all]` or a list. docs/export.md explains the kinds.',
        ),
      patterns: z
        .array(pattern)
        .default([])
        .describe(
          'Patterns of your own as NAME=REGEX, such as `ticket=TCK-\\d+`. A group in the expression limits what is replaced.',
        ),
      restore: z
        .boolean()
        .default(false)
        .describe(
          'Replace placeholders in answers with the values that they stand for, so that the client does not notice the redaction.',
        ),
      media: z
        .enum(['refuse', 'pass'])
        .default('refuse')
        .describe(
          'What to do with images, recordings and files, which cannot be searched: refuse the request, or send them as they are.',
        ),
      timeout: duration
        .refine((ms) => ms > 0, 'expected more than 0')
        .prefault('5s')
        .describe('Time limit for searching a request; one that takes longer is refused.'),
    })
    .refine(({ out, patterns }) => out.length + patterns.length > 0, {
      path: ['out'],
      error: 'expected at least one kind or pattern',
    })
    .transform(({ out, ...rest }) => ({ ...rest, kinds: redactKinds(out) })),
);

/** What is searched for in a request, and what follows. Times are milliseconds. */
export type OutwardRule = z.output<typeof redaction>;
