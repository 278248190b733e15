/** The formats of an export, by purpose; they are described in docs/export.md. */
export const FORMAT_GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Conversations: {
    openai: 'OpenAI',
    trl: 'TRL',
    'trl-pc': 'TRL, prompt and completion',
    mistral: 'Mistral',
    gemini: 'Gemini',
    anthropic: 'Anthropic',
    bedrock: 'Bedrock',
    together: 'Together',
    fireworks: 'Fireworks',
    sharegpt: 'ShareGPT',
    axolotl: 'Axolotl',
    alpaca: 'Alpaca',
    text: 'Text',
  },
  'Judged answers': {
    'openai-dpo': 'OpenAI DPO',
    'trl-dpo': 'TRL DPO',
    kto: 'KTO',
    rft: 'Reinforcement (RFT)',
  },
  'As logged': { raw: 'Whole records' },
};
