/** Prices in the configuration: USD per million tokens, or per unit of another kind. */
import { z } from 'zod';
import { FEE_UNITS } from '../../fee-units.ts';
import { SERVICE_TIERS } from '../../service-tiers.ts';
import { onDemand, since, text, until } from '../words.ts';

const usd = z.number().nonnegative();

const amounts = () => ({
  input: usd.optional().describe('Input tokens. Set together with `output`.'),
  output: usd.optional().describe('Output tokens. Set together with `input`.'),
  cached: usd.optional().describe('Input tokens read from a prompt cache; defaults to `input`.'),
  cache_write: usd.optional().describe('Input tokens written to a prompt cache; defaults to `input`.'),
  cache_write_1h: usd
    .optional()
    .describe('Input tokens written to a prompt cache for one hour; defaults to `cache_write`.'),
  reasoning: usd.optional().describe('Reasoning tokens; defaults to `output`.'),
  input_audio: usd.optional().describe('Audio input tokens; defaults to `input`.'),
  cached_audio: usd.optional().describe('Audio input tokens read from a prompt cache; defaults to `cached`.'),
  output_audio: usd.optional().describe('Audio output tokens; defaults to `output`.'),
  input_image: usd.optional().describe('Image input tokens; defaults to `input`.'),
  cached_image: usd.optional().describe('Image input tokens read from a prompt cache; defaults to `cached`.'),
  output_image: usd.optional().describe('Image output tokens; defaults to `output`.'),
  request: usd.optional().describe('USD per request.'),
  image: usd.optional().describe('USD per generated image.'),
  minute: usd.optional().describe('USD per minute of transcribed audio.'),
  characters: usd.optional().describe('USD per million characters of synthesized speech.'),
  search: usd.optional().describe('USD per web search.'),
  file_search: usd.optional().describe('USD per search of stored files.'),
  fees: z
    .partialRecord(z.enum(FEE_UNITS), usd)
    .optional()
    .describe(
      'USD per unit of another kind, by its name in the log (`units`), such as `{ map_searches: 0.014 }`.',
    ),
  tiers: z
    .partialRecord(z.enum(SERVICE_TIERS), z.number().positive())
    .optional()
    .describe(
      'Factors on the prices of tokens by service tier, such as `{ flex: 0.5, priority: 2 }`; 1 if omitted.',
    ),
});

const NONE = 'expected a price: input and output, or request, image, minute, characters, search or fees';

function sound(price: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const { input, output } = price;
  const one = input === undefined ? 'input' : 'output';
  if ((input === undefined) !== (output === undefined))
    context.addIssue({ code: 'custom', message: `expected \`${one}\` too: the two go together` });
  else if (ALONE.every((name) => price[name] === undefined))
    context.addIssue({ code: 'custom', message: NONE });
}

/** The fields of which one is enough to define a price. */
const ALONE = ['input', 'request', 'image', 'minute', 'characters', 'search', 'fees'] as const;

export const price = onDemand(() =>
  z
    .strictObject(amounts())
    .superRefine(sound)
    .describe('Price in USD; tokens are priced per million. Overrides the built-in table.'),
);

/** A price for models by name, valid during a period. */
export const datedPrice = onDemand(() =>
  z
    .strictObject({
      model: text.describe('Glob of model names, as the provider calls them.'),
      provider: text
        .optional()
        .describe('Glob of provider names, as configured here; all providers if omitted.'),
      from: since
        .optional()
        .describe('First day on which the price applies (UTC), or the exact moment it starts.'),
      until: until
        .optional()
        .describe('Last day on which the price applies (UTC), or the exact moment it ends.'),
      ...amounts(),
    })
    .superRefine(sound),
);

export type Price = z.output<typeof price>;
export type DatedPrice = z.output<typeof datedPrice>;
