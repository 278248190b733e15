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
    name: 'Messages and Responses answer with one choice, and report that there were more',
    clients: ['messages', 'responses'],
    aspects: ['choices'],
    when: ({ said }) => said.choices.length > 1,
    named: /choice|\bn\b/,
  },
  {
    name: 'Messages cannot represent log probabilities',
    clients: ['messages'],
    aspects: ['logprobs'],
    when: ({ said }) => said.choices.some(({ logprobs }) => logprobs.length > 0),
    named: /logprob/,
  },
  {
    name: 'Messages cannot represent images in an answer',
    clients: ['messages'],
    aspects: ['images', 'order'],
    when: has('image'),
    named: /image/,
  },
  {
    name: 'Messages and Responses cannot represent audio in an answer',
    clients: ['messages', 'responses'],
    aspects: ['audio', 'order'],
    when: has('audio'),
    named: /audio/,
  },
  {
    name: 'audio without its data becomes its transcript',
    clients: ['gemini'],
    aspects: ['audio', 'order'],
    when: ({ said }) =>
      said.choices.some(({ parts }) => parts.some((part) => part.kind === 'audio' && part.data === '')),
  },
  {
    name: 'chat cannot represent tools that the provider ran',
    clients: ['chat'],
    aspects: ['ran'],
    when: has('ran'),
    named: /tool|search|ran|hosted|call/,
  },
  {
    name: 'other protocols cannot represent tools that a provider ran in a form of its own',
    clients: ['messages', 'responses', 'gemini'],
    aspects: ['ran'],
    when: has('ran'),
    named: /tool|search|ran|hosted|call/,
  },
  {
    name: 'broken arguments of the model are passed on unchanged',
    clients: ALL,
    aspects: ['grammar', 'library'],
    when: hasBrokenCall,
  },
  {
    name: 'a call with broken arguments cannot be represented as an object, or in a finished response',
    clients: ['messages', 'responses', 'gemini'],
    aspects: ['calls', 'status', 'ids', 'order', 'finish', 'text', 'usage', 'role', 'thinking', 'ending'],
    when: hasBrokenCall,
  },
  {
    name: 'an answer whose finish reason means that the model failed becomes an error',
    clients: ALL,
    aspects: ['status', 'text', 'finish', 'usage', 'role', 'choices', 'thinking', 'ending', 'grammar'],
    when: ({ said, api }) =>
      said.choices.some(({ finish }) =>
        /^(?:MALFORMED_\w+|UNEXPECTED_TOOL_CALL|OTHER|error)$/.test(finish ?? ''),
      ) && api !== 'messages',
  },
  {
    name: 'without a finish reason, the client receives the usual one or an error',
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
