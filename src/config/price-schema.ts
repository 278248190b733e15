/** What answers cost, as the configuration says it: USD for a million tokens, or for one of another unit. */
import { z } from 'zod';
import { since, text, until } from './words.ts';

const usd = z.number().nonnegative();

const amounts = {
  input: usd.optional().describe('Input tokens; goes with `output`.'),
  output: usd.optional().describe('Output tokens; goes with `input`.'),
  cached: usd.optional().describe('Input tokens read from a prompt cache; `input` when left out.'),
  cache_write: usd.optional().describe('Input tokens written to a prompt cache; `input` when left out.'),
  cache_write_1h: usd
    .optional()
    .describe('Of these, the ones that are kept for an hour; `cache_write` when left out.'),
  reasoning: usd.optional().describe('Output tokens of reasoning; `output` when left out.'),
  input_audio: usd.optional().describe('Input tokens of audio; `input` when left out.'),
  cached_audio: usd
    .optional()
    .describe('Input tokens of audio read from a prompt cache; `cached` when left out.'),
  output_audio: usd.optional().describe('Output tokens of audio; `output` when left out.'),
  input_image: usd.optional().describe('Input tokens of images; `input` when left out.'),
  cached_image: usd
    .optional()
    .describe('Input tokens of images read from a prompt cache; `cached` when left out.'),
  output_image: usd.optional().describe('Output tokens of images; `output` when left out.'),
  request: usd.optional().describe('USD for a request.'),
  image: usd.optional().describe('USD for an image that is made.'),
  minute: usd.optional().describe('USD for a minute of audio that is transcribed.'),
  characters: usd.optional().describe('USD for a million characters that are spoken.'),
  search: usd.optional().describe('USD for a search of the web.'),
};

const NONE = 'expected a price: input and output, or request, image, minute, characters or search';

function sound(price: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const { input, output } = price;
  const one = input === undefined ? 'input' : 'output';
  if ((input === undefined) !== (output === undefined))
    context.addIssue({ code: 'custom', message: `expected \`${one}\` too: the two go together` });
  else if (ALONE.every((name) => price[name] === undefined))
    context.addIssue({ code: 'custom', message: NONE });
}

/** What makes a price by itself. */
const ALONE = ['input', 'request', 'image', 'minute', 'characters', 'search'] as const;

export const price = z
  .strictObject(amounts)
  .superRefine(sound)
  .describe('Price in USD, of tokens for a million of them; overrides the built-in table.');

/** A price of models by name, for a time. */
export const datedPrice = z
  .strictObject({
    model: text.describe("Glob of models, by the provider's name of them."),
    provider: text.optional().describe('Glob of providers, by their names here. All when left out.'),
    from: since.optional().describe('First day on which it holds (UTC), or the moment it begins.'),
    until: until.optional().describe('Last day on which it holds (UTC), or the moment it ends.'),
    ...amounts,
  })
  .superRefine(sound);

export type Price = z.output<typeof price>;
export type DatedPrice = z.output<typeof datedPrice>;
