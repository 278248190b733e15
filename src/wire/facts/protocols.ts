/** What no server of a protocol takes that others do, as data. */
import type { Abilities } from './abilities.ts';
import type { ProtocolName } from '../protocol.ts';

export interface ProtocolFact {
  readonly protocols: readonly ProtocolName[];
  readonly abilities: Abilities;
  /** Where its vendor says so. */
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
    source: 'https://platform.openai.com/docs/api-reference/chat/create',
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
  {
    protocols: ['cohere'],
    abilities: {
      media_in_results: false,
      failed_results: false,
      said_pictures: false,
      several_answers: false,
    },
    source: 'https://docs.cohere.com/reference/chat',
  },
];
