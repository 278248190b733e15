/** Known programs, and how each is pointed at a proxy: by environment variables and flags only. */

/** The address of a proxy, and the key to use. */
export interface Reach {
  /** Without a trailing slash. */
  readonly base: string;
  /** The key that the program sends. */
  readonly key: string;
  /** The model that the user named. */
  readonly model: string | undefined;
  /** The models that the proxy lists. */
  readonly models: readonly string[];
}

/** How a program is started. */
export interface Launch {
  /** Variables to set; `undefined` removes one. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags before the user's own arguments. */
  readonly args: readonly string[];
}

export interface Program {
  /** Its name here, which is also its command. */
  readonly name: string;
  readonly title: string;
  /** How to install it. */
  readonly install: string;
  /** The model that it uses by default; omitted if one must be named. */
  readonly asksFor?: string;
  /** Whether its user can choose among the models that the proxy lists. */
  readonly offersChoice?: true;
  readonly launch: (reach: Reach) => Launch;
}

/** The variable that holds the key for the proxy. */
export const KEY_VARIABLE = 'LLMPROXY_KEY';

export const PROGRAMS: readonly Program[] = [
  {
    name: 'claude',
    title: 'Claude Code',
    install: 'npm install -g @anthropic-ai/claude-code',
    asksFor: 'claude-sonnet-4-5',
    launch: ({ base, key, model }) => ({
      env: {
        ANTHROPIC_BASE_URL: base,
        ANTHROPIC_AUTH_TOKEN: key,
        // These would take precedence.
        ANTHROPIC_API_KEY: undefined,
        CLAUDE_CODE_USE_BEDROCK: undefined,
        CLAUDE_CODE_USE_VERTEX: undefined,
        CLAUDE_CODE_USE_FOUNDRY: undefined,
        ...(model === undefined ? {} : Object.fromEntries(CLAUDE_MODELS.map((name) => [name, model]))),
      },
      args: [],
    }),
  },
  {
    name: 'codex',
    title: 'Codex',
    install: 'npm install -g @openai/codex',
    asksFor: 'gpt-5-codex',
    launch: ({ base, key, model }) => ({
      env: { [KEY_VARIABLE]: key },
      args: [
        'model_provider="llmproxy"',
        `model_providers.llmproxy=${codexProvider(base)}`,
        ...(model === undefined ? [] : [`model=${JSON.stringify(model)}`]),
      ].flatMap((setting) => ['-c', setting]),
    }),
  },
  {
    name: 'opencode',
    title: 'opencode',
    install: 'npm install -g opencode-ai',
    offersChoice: true,
    launch: (reach) => ({ env: { OPENCODE_CONFIG_CONTENT: opencodeConfig(reach) }, args: [] }),
  },
  {
    name: 'aider',
    title: 'aider',
    install: 'python -m pip install aider-install && aider-install',
    launch: ({ base, key, model }) => ({
      env: { OPENAI_API_BASE: `${base}/v1`, OPENAI_API_KEY: key },
      args: ['--model', `openai/${model}`],
    }),
  },
  {
    name: 'goose',
    title: 'goose',
    install: 'https://block.github.io/goose says how',
    launch: ({ base, key, model }) => ({
      env: {
        GOOSE_PROVIDER: 'openai',
        GOOSE_MODEL: model,
        OPENAI_HOST: base,
        OPENAI_BASE_PATH: 'v1/chat/completions',
        OPENAI_API_KEY: key,
      },
      args: [],
    }),
  },
  {
    name: 'qwen',
    title: 'Qwen Code',
    install: 'npm install -g @qwen-code/qwen-code',
    launch: ({ base, key, model }) => ({
      env: { OPENAI_BASE_URL: `${base}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: model },
      args: [],
    }),
  },
];

/** Claude Code uses different models for different tasks. */
const CLAUDE_MODELS = [
  'ANTHROPIC_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'CLAUDE_CODE_SUBAGENT_MODEL',
];

/** An inline table of TOML. @see https://developers.openai.com/codex/config-reference */
function codexProvider(base: string): string {
  const table = { name: 'llmproxy', base_url: `${base}/v1`, env_key: KEY_VARIABLE, wire_api: 'responses' };
  const pairs = Object.entries(table).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `{ ${pairs.join(', ')} }`;
}

/** @see https://opencode.ai/docs/config */
function opencodeConfig({ base, key, model, models }: Reach): string {
  const names = [...new Set([...(model === undefined ? [] : [model]), ...models])].slice(0, 500);
  return JSON.stringify({
    model: `llmproxy/${names[0]}`,
    provider: {
      llmproxy: {
        npm: '@ai-sdk/openai-compatible',
        name: 'llmproxy',
        options: { baseURL: `${base}/v1`, apiKey: key },
        models: Object.fromEntries(names.map((name) => [name, { name }])),
      },
    },
  });
}
