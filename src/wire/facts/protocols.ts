/** What no server of a protocol supports although others do, as data. */
import type { Abilities } from './abilities.ts';
import type { Effort } from './effort.ts';
import type { ProtocolName } from '../protocol.ts';

export interface ProtocolFact {
  readonly protocols: readonly ProtocolName[];
  readonly abilities: Abilities;
  /** Replacements for roles, for unknown servers. */
  readonly roles?: Readonly<Record<string, string>>;
  /** The reasoning efforts that unknown servers can be expected to support. */
  readonly efforts?: readonly Effort[];
  /** The largest number of stop sequences. */
  readonly stops?: number;
  /** The vendor's documentation. */
  readonly source: string;
}

export const PROTOCOL_FACTS: readonly ProtocolFact[] = [
  {
    // "text content blocks must contain non-whitespace text"
    protocols: ['messages'],
    abilities: { blank_text: false },
    source: 'https://docs.claude.com/en/api/errors',
  },
  {
    protocols: ['converse'],
    abilities: { blank_text: false, assistant_first: false },
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html',
  },
  {
    protocols: ['chat'],
    abilities: { media_in_results: false, failed_results: false, said_pictures: false },
    stops: 4,
    source: 'https://platform.openai.com/docs/api-reference/chat/create',
  },
  {
    // Others support fewer roles than OpenAI, and reject unknown ones.
    protocols: ['chat'],
    abilities: {},
    efforts: ['none', 'minimal', 'low', 'medium', 'high'],
    roles: { developer: 'system' },
    source: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  },
  {
    protocols: ['responses'],
    abilities: { failed_results: false, said_pictures: false, several_answers: false, stop: false },
    source: 'https://platform.openai.com/docs/api-reference/responses/create',
  },
  {
    protocols: ['messages', 'converse'],
    abilities: { said_pictures: false, several_answers: false },
    source: 'https://docs.claude.com/en/api/messages',
  },
  { protocols: ['gemini'], abilities: {}, stops: 5, source: 'https://ai.google.dev/api/generate-content' },
  {
    protocols: ['cohere'],
    stops: 5,
    abilities: {
      media_in_results: false,
      failed_results: false,
      said_pictures: false,
      several_answers: false,
    },
    source: 'https://docs.cohere.com/reference/chat',
  },
];
