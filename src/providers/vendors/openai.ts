/** What OpenAI's models accept, at OpenAI and at Azure. */
import type { Effort } from '../../wire/facts/effort.ts';
import type { Quirks } from '../../wire/quirks.ts';
import { EFFORTS } from '../../wire/facts/effort.ts';

/** OpenAI's reference for reasoning models. */
const REASONING_GUIDE = 'https://platform.openai.com/docs/guides/reasoning';

/** What early reasoning models reject: sampling parameters. */
const THINKING: Quirks = {
  source: REASONING_GUIDE,
  abilities: { sampling: false, penalties: false, logprobs: false, stop: false },
  renames: { max_tokens: 'max_completion_tokens' },
};

/** Chat rejects functions together with reasoning. */
const FUNCTIONS_PAGE = 'https://github.com/openai/openai-openapi/issues/541';
const FUNCTIONS_PAGE_NEWER = 'https://github.com/BerriAI/litellm/pull/34569';

const TO_XHIGH: readonly Effort[] = ['none', 'low', 'medium', 'high', 'xhigh'];

/** Efforts by model: https://platform.openai.com/docs/guides/reasoning. */
export const OPENAI: Quirks = {
  source: REASONING_GUIDE,
  // It sends an empty list with each answer, which its clients send back.
  keeps: ['annotations'],
  // https://platform.openai.com/docs/guides/structured-outputs#root-objects-must-not-be-anyof-and-must-be-an-object
  objectRoots: true,
  // The role is specific to OpenAI.
  roles: { developer: 'developer' },
  models: [
    {
      match: /^gpt-5[.\d]*-chat|^gpt-[34]|^chatgpt/,
      quirks: { efforts: [], source: 'https://platform.openai.com/docs/models' },
    },
    { match: /^o\d/, quirks: { ...THINKING, efforts: ['low', 'medium', 'high'] } },
    { match: /^gpt-5-pro/, quirks: { ...THINKING, efforts: ['high'] } },
    { match: /^gpt-5-codex/, quirks: { ...THINKING, efforts: ['low', 'medium', 'high'] } },
    { match: /^gpt-5(?!\.)/, quirks: { ...THINKING, efforts: ['minimal', 'low', 'medium', 'high'] } },
    {
      match: /^gpt-5\.1-codex-max/,
      quirks: { ...THINKING, efforts: ['none', 'low', 'medium', 'high', 'xhigh'] },
    },
    {
      match: /^gpt-5\.1/,
      quirks: { ...THINKING, samplesUnreasoned: true, efforts: ['none', 'low', 'medium', 'high'] },
    },
    { match: /^gpt-5\.\d+-pro/, quirks: { ...THINKING, efforts: ['medium', 'high', 'xhigh'] } },
    {
      match: /^gpt-5\.[23]/,
      quirks: { ...THINKING, samplesUnreasoned: true, efforts: TO_XHIGH },
    },
    {
      match: /^gpt-5\.4/,
      quirks: {
        ...THINKING,
        samplesUnreasoned: true,
        efforts: TO_XHIGH,
        functionsByResponses: 'reasoning',
        source: FUNCTIONS_PAGE,
      },
    },
    {
      match: /^gpt-5\.5/,
      quirks: {
        ...THINKING,
        efforts: TO_XHIGH,
        functionsByResponses: 'unless_none',
        source: FUNCTIONS_PAGE_NEWER,
      },
    },
    {
      match: /^gpt-[5-9]/,
      quirks: {
        ...THINKING,
        efforts: EFFORTS,
        functionsByResponses: 'unless_none',
        source: FUNCTIONS_PAGE_NEWER,
      },
    },
  ],
};
