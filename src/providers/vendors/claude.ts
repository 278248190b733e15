/** What Claude models accept, at Anthropic and at other hosts. */
import type { Quirks } from '../../wire/quirks.ts';

/** From Claude 4.1 and 4.5 on, only one of the two is accepted. */
export const CLAUDE: Quirks = {
  source: 'https://docs.claude.com/en/docs/build-with-claude/extended-thinking',
  claude: true,
  models: [
    {
      match: /claude-(?:opus-4-1|(?:opus|sonnet|haiku)-(?:4-[5-9]|[5-9]))/,
      quirks: {
        exclusive: [['temperature', 'top_p']],
        source: 'https://docs.claude.com/en/docs/about-claude/models/whats-new-claude-4-5',
      },
    },
  ],
};

/** The values of the header `anthropic-beta` that both other hosts accept; any other is rejected with 400. */
const BETAS = [
  'computer-use-2024-10-22',
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
  'token-efficient-tools-2025-02-19',
  'interleaved-thinking-2025-05-14',
  'output-128k-2025-02-19',
  'dev-full-thinking-2025-05-14',
  'context-1m-2025-08-07',
  'context-management-2025-06-27',
  'effort-2025-11-24',
  'tool-search-tool-2025-10-19',
  'tool-examples-2025-10-29',
  'fine-grained-tool-streaming-2025-05-14',
  'thinking-binding-controls-2026-08-01',
  'thinking-display-updates-2026-08-18',
];

/**
 * Those that only Vertex AI accepts, unlike Bedrock's Converse API.
 * @see https://github.com/BerriAI/litellm/blob/main/litellm/anthropic_beta_headers_config.json
 */
const BETAS_OF_VERTEX = [
  'compact-2026-01-12',
  'dangerous-tool-use-2026-09-03',
  'inline-tools-2026-09-15',
  'mid-conversation-output-config-2026-07-01',
  'mid-conversation-system-clear-at-2026-08-21',
  'mid-conversation-tool-changes-2026-07-01',
  'model-context-window-exceeded-2025-08-26',
  'per-turn-control-2026-07-01',
  'structured-outputs-2025-11-13',
  'structured-outputs-2025-12-15',
  'task-budgets-2026-03-13',
  'thinking-token-count-2026-05-13',
  'web-search-2025-03-05',
];

export const CLAUDE_ON_BEDROCK: Quirks = {
  ...CLAUDE,
  betas: BETAS,
  source:
    'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html',
};

export const CLAUDE_ON_VERTEX: Quirks = {
  ...CLAUDE,
  betas: [...BETAS, ...BETAS_OF_VERTEX],
  source: 'https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude',
};
