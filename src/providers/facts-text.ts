import type { AnthropicModel } from '../wire/anthropic/models.ts';
import type { ConverseModel } from '../wire/bedrock/models.ts';
import type { Abilities } from '../wire/facts/abilities.ts';
import type { GeminiModel } from '../wire/gemini/models.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import { ANTHROPIC_MODELS } from '../wire/anthropic/models.ts';
import { CONVERSE_MODELS } from '../wire/bedrock/models.ts';
import { PROTOCOL_FACTS } from '../wire/facts/protocols.ts';
import { NAME_RULES } from '../wire/facts/tool-names.ts';
import { GEMINI_MODELS } from '../wire/gemini/models.ts';
import { mergeQuirks } from '../wire/quirks.ts';

/** What is known, in words, and where it stands. */
export interface Fact {
  readonly text: string;
  /** A page, or `config.yaml`; left out where it needs none. */
  readonly source?: string | undefined;
}

/** What is known of a vendor or a model, as lines of words: what is changed in its requests, and why an answer is read otherwise. */
export function factsText(quirks: Quirks): string[] {
  const { override = {} } = quirks;
  const pairs = (of: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(of).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return [
    ...abilitiesText(quirks.abilities),
    ...line('left out', [...(quirks.drops ?? []), ...(override.drop ?? [])]),
    ...line(
      'left out beside another',
      (quirks.exclusive ?? []).map(([kept, other]) => `${other} beside ${kept}`),
    ),
    ...line('renamed', [...renamed(quirks.renames), ...renamed(override.rename)]),
    ...line(
      'within',
      Object.entries(quirks.clamps ?? {}).map(([name, [least, most]]) => `${name} ${least} to ${most}`),
    ),
    ...line('in other words', pairs(quirks.words)),
    ...line('set where the client does not', pairs(quirks.sets)),
    ...line('set', pairs(override.set)),
    ...line('fields of other protocols that it takes', quirks.keeps),
    ...line('roles', renamed(quirks.roles)),
    ...line('efforts', quirks.efforts && (quirks.efforts.length > 0 ? quirks.efforts : ['none is taken'])),
    ...line('asked not to reason by', pairs(quirks.unreasoned)),
    ...line(
      'sampling and log probabilities',
      quirks.samplesUnreasoned ? ['taken while it does not reason'] : [],
    ),
    ...line('functions', functionsText(quirks)),
    ...line('of anthropic-beta', quirks.betas),
    ...line('instructions', quirks.systemFirst ? ['stand first'] : []),
    ...line('usage of a stream', quirks.tellsUsage ? ['told unasked'] : []),
    ...line('earlier reasoning', quirks.reasoning ? [REASONING[quirks.reasoning]] : []),
    ...line('ids of calls', quirks.toolIds ? ['nine letters and digits'] : []),
    ...line(
      'tokens told',
      quirks.outputWithoutReasoning ? ['reasoning is not among those of the output'] : [],
    ),
    ...line('facts of', quirks.like === undefined ? [] : [quirks.like]),
  ];
}

const REASONING: Readonly<Record<NonNullable<Quirks['reasoning']>, string>> = {
  every_turn: 'given back with every answer',
  where_known: 'given back where it is known',
  left_out: 'left out',
};

function functionsText({ functionsByResponses: when }: Quirks): string[] {
  if (when === undefined) return [];
  return [
    when === 'reasoning' ? 'by Responses where an effort is named' : 'by Responses unless the effort is none',
  ];
}

function abilitiesText(abilities: Abilities = {}): string[] {
  const known = Object.entries(abilities);
  const named = (wanted: boolean) => known.filter(([, has]) => has === wanted).map(([name]) => name);
  return [...line('takes', named(true)), ...line('takes no', named(false))];
}

/**
 * What is known of a model by its protocol, by name, and by all that holds for it, each with who says so.
 * @param vendor what is known of its vendor; what goes beyond that is the operator's word
 */
export function factsOf(
  protocol: ProtocolName,
  model: string,
  quirks: Quirks,
  vendor: Quirks = quirks,
): Fact[] {
  const { models, ...own } = vendor;
  const name = quirks.like ?? model;
  const { quirks: row = {} } = models?.find(({ match }) => match.test(name)) ?? {};
  const known = mergeQuirks(own, row);
  const said = differing(quirks, known);
  const rest = without(quirks, said);
  const ofRow = shared(rest, row);
  return [
    ...protocolFacts(protocol, quirks),
    ...modelFacts(protocol, name),
    ...factsText(without(rest, ofRow)).map((text) => ({ text, source: vendor.source })),
    ...factsText(ofRow).map((text) => ({ text, source: row.source ?? vendor.source })),
    ...factsText(said).map((text) => ({ text, source: 'the configuration' })),
  ];
}

/** What of these facts is otherwise than known; of abilities, each by itself. */
function differing(quirks: Quirks, known: Quirks): Quirks {
  return picked(quirks, (name, value) => JSON.stringify(value) !== JSON.stringify(known[name]), known);
}

/** What of these facts a row says something of. */
function shared(quirks: Quirks, row: Quirks): Quirks {
  const { abilities = {} } = row;
  const some = picked(quirks, (name) => row[name] !== undefined, {});
  const own = Object.entries(quirks.abilities ?? {}).filter(([name]) => Object.hasOwn(abilities, name));
  return { ...some, abilities: Object.fromEntries(own) };
}

function without(quirks: Quirks, others: Quirks): Quirks {
  const rest = picked(quirks, (name) => others[name] === undefined || name === 'abilities', {});
  const own = Object.entries(quirks.abilities ?? {}).filter(
    ([name]) => !Object.hasOwn(others.abilities ?? {}, name),
  );
  return { ...rest, abilities: Object.fromEntries(own) };
}

function picked(
  quirks: Quirks,
  isMeant: (name: keyof Quirks, value: unknown) => boolean,
  known: Quirks,
): Quirks {
  const { abilities = {}, ...others } = quirks;
  const entries = Object.entries(others).filter(([name, value]) => isMeant(name as keyof Quirks, value));
  const own = Object.entries(abilities).filter(
    ([name, has]) => known.abilities?.[name as keyof typeof abilities] !== has,
  );
  return { ...Object.fromEntries(entries), abilities: Object.fromEntries(own) };
}

/** What no server of a protocol takes. */
export function protocolFacts(protocol: ProtocolName, quirks: Quirks = {}): Fact[] {
  const rows = PROTOCOL_FACTS.filter(({ protocols }) => protocols.includes(protocol));
  const rule = NAME_RULES[protocol];
  const names = `names of functions: ${rule.first.source} and then ${rule.rest.source}, ${rule.longest} characters at most`;
  return [
    ...rows.flatMap(({ abilities, efforts, roles, stops, source }) =>
      [
        ...abilitiesText(abilities),
        ...(quirks.efforts ? [] : line('efforts at most, where nothing else is known', efforts)),
        ...(Object.keys(quirks.roles ?? {}).length > 0
          ? []
          : line('roles, where nothing else is known and it is translated', renamed(roles))),
        ...(stops === undefined ? [] : [`sequences that end an answer: ${stops} at most`]),
      ].map((text) => ({ text, source })),
    ),
    { text: names, source: rule.source },
  ];
}

function modelFacts(protocol: ProtocolName, model: string): Fact[] {
  const row = MODEL_FACTS[protocol]?.find(({ match }) => match.test(model));
  return row ? [{ text: row.text, source: row.source }] : [];
}

interface ModelFact extends Fact {
  readonly match: RegExp;
}

/** What is known of models by their names, by the protocol that they are asked in. */
export const MODEL_FACTS: Readonly<Partial<Record<ProtocolName, readonly ModelFact[]>>> = {
  messages: ANTHROPIC_MODELS.map(({ match, model, source }) => ({ match, source, text: ofClaude(model) })),
  gemini: GEMINI_MODELS.map(({ match, model, source }) => ({ match, source, text: ofGemini(model) })),
  converse: CONVERSE_MODELS.map(({ match, model, source }) => ({ match, source, text: ofConverse(model) })),
};

function ofClaude({
  maxTokens,
  thinking,
  budgets,
  efforts,
  sampling,
  jsonSchema,
  prefill,
}: AnthropicModel): string {
  const ways =
    thinking === 'none' ? 'none' : thinking === 'adaptive' && budgets ? 'adaptive or by a budget' : thinking;
  return [
    `max_tokens ${maxTokens} where the client names none`,
    `thinking: ${ways}`,
    `efforts: ${efforts.join(', ') || 'none'}`,
    ...named({ sampling, 'a schema of the answer': jsonSchema, 'a beginning of its answer': prefill }),
  ].join('; ');
}

function ofGemini({ thinking, ...takes }: GeminiModel): string {
  const steered =
    thinking === 'none'
      ? 'none'
      : 'min' in thinking
        ? `${thinking.min} to ${thinking.max} tokens${thinking.off ? ', or none' : ''}`
        : thinking.join(', ');
  const { jsonSchema, jsonWithTools, system, penalties, pairsById, mediaInResults } = takes;
  return [
    `thinking: ${steered}`,
    ...named({
      'JSON Schema as it is': jsonSchema,
      'JSON beside functions': jsonWithTools,
      'instructions apart': system,
      penalties,
      'results by id, and signatures': pairsById,
      'media in results': mediaInResults,
    }),
  ].join('; ');
}

function ofConverse({
  reasoning,
  demands,
  caching,
  jsonSchema,
  topK,
  mistral,
  hosted,
}: ConverseModel): string {
  return [
    `reasoning: ${reasoning}`,
    `tools that can be demanded: ${demands}`,
    `caching: ${caching}`,
    `top_k: ${topK}`,
    ...line('its own tools', Object.values(hosted) as string[]),
    ...named({ 'a schema of the answer': jsonSchema, "Mistral's ids of calls": mistral }),
  ].join('; ');
}

function named(takes: Readonly<Record<string, boolean>>): string[] {
  const of = (wanted: boolean) =>
    Object.entries(takes)
      .filter(([, has]) => has === wanted)
      .map(([name]) => name);
  return [...line('takes', of(true)), ...line('takes no', of(false))];
}

function renamed(of: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(of).flatMap(([name, other]) => (name === other ? [] : [`${name} is ${other}`]));
}

function line(what: string, words: readonly string[] = []): string[] {
  return words.length > 0 ? [`${what}: ${words.join(', ')}`] : [];
}
