/** What tokens cost, as the configuration says it. */
import { z } from 'zod';

export const price = z
  .strictObject({
    input: z.number().nonnegative().describe('Input tokens.'),
    output: z.number().nonnegative().describe('Output tokens.'),
    cached: z
      .number()
      .nonnegative()
      .optional()
      .describe('Input tokens read from a prompt cache; `input` when left out.'),
    cache_write: z
      .number()
      .nonnegative()
      .optional()
      .describe('Input tokens written to a prompt cache; `input` when left out.'),
  })
  .describe('Price in USD per million tokens; overrides the built-in table.');

export type Price = z.output<typeof price>;
