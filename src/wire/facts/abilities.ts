/**
 * What a provider or a model supports, by name. Everything is supported unless a row says otherwise, and the
 * configuration overrides the rows.
 */
import type { ProtocolName } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import { PROTOCOL_FACTS } from './protocols.ts';

export type Ability =
  | 'vision'
  | 'audio'
  | 'files'
  | 'tools'
  | 'parallel_tools'
  | 'hosted_tools'
  | 'reasoning'
  | 'sampling'
  | 'penalties'
  | 'logprobs'
  | 'several_answers'
  | 'stop'
  | 'json_object'
  | 'json_schema'
  | 'json_with_tools'
  | 'system'
  | 'late_system'
  | 'blank_text'
  | 'assistant_first'
  | 'media_in_results'
  | 'failed_results'
  | 'said_pictures';

/** The meaning of each ability. */
export const ABILITIES: Readonly<Record<Ability, string>> = {
  vision: 'images in user messages',
  audio: 'audio in user messages',
  files: 'documents and other files as input',
  tools: 'function calling',
  parallel_tools: 'limiting the model to one function call at a time',
  hosted_tools: 'tools that the provider runs, such as web search',
  reasoning: 'setting the reasoning effort',
  sampling: 'temperature, top_p and top_k',
  penalties: 'token penalties and logit biases',
  logprobs: 'log probabilities of tokens',
  several_answers: 'several answers to one request (n)',
  stop: 'stop sequences',
  json_object: 'JSON mode, without a schema',
  json_schema: 'structured output with a JSON schema',
  json_with_tools: 'structured output together with functions',
  system: 'system instructions, separate from user messages',
  late_system: 'system instructions after the start of a conversation',
  blank_text: 'text that consists only of white space',
  assistant_first: 'conversations that start with an assistant message',
  media_in_results: 'images and files in function results',
  failed_results: 'marking a function result as failed',
  said_pictures: 'images in earlier assistant messages',
};

export type Abilities = Readonly<Partial<Record<Ability, boolean>>>;

/** The abilities of a target: the rows of its protocol, then those of its vendor and model, then the configuration. */
export function abilitiesOf(protocol: ProtocolName, { abilities, systemFirst }: Quirks): Abilities {
  const known = PROTOCOL_FACTS.filter(({ protocols }) => protocols.includes(protocol));
  const late = systemFirst ? { late_system: false } : {};
  return Object.assign({}, ...known.map((row) => row.abilities), late, abilities) as Abilities;
}
