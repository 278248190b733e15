/**
 * What a provider or a model takes, by name. What is not said of a target is so; a row says what is not, and the operator has
 * the last word.
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

/** What each of them means. */
export const ABILITIES: Readonly<Record<Ability, string>> = {
  vision: 'pictures in what the user shows',
  audio: 'sound in what the user says',
  files: 'documents and other files',
  tools: 'functions to call',
  parallel_tools: 'being told to call one function at a time',
  hosted_tools: 'tools that the provider runs, such as a search of the web',
  reasoning: 'being told how hard to think',
  sampling: 'temperature, top_p and top_k',
  penalties: 'penalties and biases of tokens',
  logprobs: 'log probabilities of tokens',
  several_answers: 'several answers to one request (n)',
  stop: 'sequences that end an answer',
  json_object: 'being told to answer with JSON',
  json_schema: 'a schema of the answer',
  json_with_tools: 'a form of the answer beside functions',
  system: 'instructions apart from what the user says',
  late_system: 'instructions behind the beginning of a conversation',
  blank_text: 'texts of white space alone',
  assistant_first: 'conversations that the assistant begins',
  media_in_results: 'pictures and files in the results of functions',
  failed_results: 'a mark on the results of functions that failed',
  said_pictures: 'pictures among what the model said before',
};

export type Abilities = Readonly<Partial<Record<Ability, boolean>>>;

/** What a target takes: its protocol's rows, its vendor's and model's over them, and the operator's over all. */
export function abilitiesOf(protocol: ProtocolName, { abilities, systemFirst }: Quirks): Abilities {
  const known = PROTOCOL_FACTS.filter(({ protocols }) => protocols.includes(protocol));
  const late = systemFirst ? { late_system: false } : {};
  return Object.assign({}, ...known.map((row) => row.abilities), late, abilities) as Abilities;
}
