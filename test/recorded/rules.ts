/**
 * The only accepted differences between a client's answer and the recording, with the reasons. Each rule says for which
 * answers it applies; anything else is a failure. A part without a form in the client's protocol must be reported to
 * the client.
 */
import type { Aspect, Client, Spoken } from './answers/compare.ts';
import type { Part } from './answers/said.ts';

export interface Rule {
  readonly name: string;
  readonly clients: readonly Client[];
  readonly aspects: readonly Aspect[];
  /** Whether it applies to this answer, and to parts that must be reported. */
  readonly when: (wanted: Spoken) => boolean;
  /** A header or comment about omissions must match this. */
  readonly named?: RegExp;
}

const ALL: readonly Client[] = ['chat', 'messages', 'responses', 'gemini'];

const has =
  (kind: Part['kind']) =>
  ({ said }: Spoken): boolean =>
    said.choices.some(({ parts }) => parts.some((part) => part.kind === kind));

export const RULES: readonly Rule[] = [
  {
    name: 'Messages and Responses answer with one choice, and name that there were more',
    clients: ['messages', 'responses'],
    aspects: ['choices'],
    when: ({ said }) => said.choices.length > 1,
    named: /choice|\bn\b/,
  },
  {
    name: 'Messages has no form for log probabilities',
    clients: ['messages'],
    aspects: ['logprobs'],
    when: ({ said }) => said.choices.some(({ logprobs }) => logprobs.length > 0),
    named: /logprob/,
  },
  {
    name: 'Messages has no form for pictures in an answer',
    clients: ['messages'],
    aspects: ['images', 'order'],
    when: has('image'),
    named: /image/,
  },
  {
    name: 'Messages and Responses have no form for sound in an answer',
    clients: ['messages', 'responses'],
    aspects: ['audio', 'order'],
    when: has('audio'),
    named: /audio/,
  },
  {
    name: 'sound without its data is told by its words',
    clients: ['gemini'],
    aspects: ['audio', 'order'],
    when: ({ said }) =>
      said.choices.some(({ parts }) => parts.some((part) => part.kind === 'audio' && part.data === '')),
  },
  {
    name: 'chat has no form for tools that the provider ran',
    clients: ['chat'],
    aspects: ['ran'],
    when: has('ran'),
    named: /tool|search|ran|hosted|call/,
  },
  {
    name: 'tools that a provider ran in a form of its own have no place elsewhere',
    clients: ['messages', 'responses', 'gemini'],
    aspects: ['ran'],
    when: has('ran'),
    named: /tool|search|ran|hosted|call/,
  },
  {
    name: 'arguments that the model left broken are passed on as they are',
    clients: ALL,
    aspects: ['grammar', 'library'],
    when: hasBrokenCall,
  },
  {
    name: 'a call with broken arguments has no place where they are an object, or in a response that is finished',
    clients: ['messages', 'responses', 'gemini'],
    aspects: ['calls', 'status', 'ids', 'order', 'finish', 'text', 'usage', 'role', 'thinking', 'ending'],
    when: hasBrokenCall,
  },
  {
    name: 'an answer whose end means that the model failed is an error',
    clients: ALL,
    aspects: ['status', 'text', 'finish', 'usage', 'role', 'choices', 'thinking', 'ending', 'grammar'],
    when: ({ said, api }) =>
      said.choices.some(({ finish }) =>
        /^(?:MALFORMED_\w+|UNEXPECTED_TOOL_CALL|OTHER|error)$/.test(finish ?? ''),
      ) && api !== 'messages',
  },
  {
    name: 'nobody told why it ended: the client is told the usual reason or an error',
    clients: ALL,
    aspects: ['finish', 'ending', 'status', 'grammar'],
    when: ({ said }) => said.choices.some(({ finish }) => finish === undefined || finish === 'undefined'),
  },
];

function hasBrokenCall({ said }: Spoken): boolean {
  return said.choices.some(({ parts }) => parts.some((part) => part.kind === 'call' && isBroken(part.input)));
}

function isBroken(input: string): boolean {
  if (input.trim() === '' || input === 'null') return false;
  try {
    return typeof JSON.parse(input) !== 'object';
  } catch {
    return true;
  }
}

/** The rule that excuses a problem; `undefined` if there is none, or if the omission is not reported. */
export function excuse(aspect: Aspect, client: Client, wanted: Spoken, told: string): Rule | undefined {
  return RULES.find(
    ({ clients, aspects, when, named }) =>
      clients.includes(client) &&
      aspects.includes(aspect) &&
      when(wanted) &&
      (named === undefined || named.test(told)),
  );
}
