/** What xAI's models accept. */
import type { Quirks } from '../../wire/quirks.ts';

const XAI_GUIDE = 'https://docs.x.ai/docs/guides/reasoning';

/** What xAI's reasoning models reject. */
const UNSTEERED: Quirks = {
  source: XAI_GUIDE,
  drops: ['presence_penalty', 'frequency_penalty', 'stop'],
};

export const XAI: Quirks = {
  source: 'https://docs.x.ai/docs/api-reference',
  outputWithoutReasoning: true,
  drops: ['logit_bias'],
  models: [
    { match: /^grok-3-mini/, quirks: { ...UNSTEERED, efforts: ['low', 'high'] } },
    { match: /^grok-(?:[23]|4-|4$|4\.[012]|code)/, quirks: { ...UNSTEERED, efforts: [] } },
    { match: /^grok-4\.3/, quirks: { ...UNSTEERED, efforts: ['none', 'low', 'medium', 'high'] } },
    { match: /^grok-4\.5/, quirks: { ...UNSTEERED, efforts: ['low', 'medium', 'high'] } },
    { match: /^grok-/, quirks: { ...UNSTEERED, efforts: ['none', 'low', 'medium', 'high', 'xhigh'] } },
  ],
};
