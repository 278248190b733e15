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

/** A fact in words, and its source. */
export interface Fact {
  readonly text: string;
  /** A web page, or `config.yaml`; omitted if it needs no source. */
  readonly source?: string | undefined;
}

/**
 * What is known about a vendor or a model, as sentences: what is changed in requests, and how answers are read
 * differently.
 */
export function factsText(quirks: Quirks): string[] {
  const { override = {} } = quirks;
  const pairs = (of: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(of).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return [
    ...abilitiesText(quirks.abilities),
    ...line('left out', [...(quirks.drops ?? []), ...(override.drop ?? [])]),
    ...line(
      'mutually exclusive',
      (quirks.exclusive ?? []).map(([kept, other]) => `${other} is left out if ${kept} is set`),
    ),
    ...line('renamed', [...renamed(quirks.renames), ...renamed(override.rename)]),
    ...line(
      'clamped',
      Object.entries(quirks.clamps ?? {}).map(([name, [least, most]]) => `${name} ${least} to ${most}`),
    ),
    ...line('values replaced', pairs(quirks.words)),
    ...line('set unless the client does', pairs(quirks.sets)),
    ...line('set', pairs(override.set)),
    ...line('also accepts', quirks.keeps),
    ...line('roles', renamed(quirks.roles)),
    ...line('efforts', quirks.efforts && (quirks.efforts.length > 0 ? quirks.efforts : ['none accepted'])),
    ...line('reasoning is turned off with', pairs(quirks.unreasoned)),
    ...line(
      'sampling and log probabilities',
      quirks.samplesUnreasoned ? ['accepted only without reasoning'] : [],
    ),
    ...line('functions', functionsText(quirks)),
    ...line('accepted anthropic-beta features', quirks.betas),
    ...line('system instructions', quirks.systemFirst ? ['only at the start'] : []),
    ...line('usage of streams', quirks.reportsUsage ? ['reported by default'] : []),
    ...line('earlier reasoning', quirks.reasoning ? [REASONING[quirks.reasoning]] : []),
    ...line('tool call IDs', quirks.toolIds ? ['nine letters and digits'] : []),
    ...line('response formats', quirks.objectRoots ? ['only schemas of objects'] : []),
    ...line('files', quirks.documentUrls ? ['sent as `document_url`'] : []),
    ...line('reported output tokens', quirks.outputWithoutReasoning ? ['do not include reasoning'] : []),
    ...line('service tier of answers', quirks.hidesTier ? ['taken to be the requested one'] : []),
    ...line('treated like', quirks.like === undefined ? [] : [quirks.like]),
  ];
}

const REASONING: Readonly<Record<NonNullable<Quirks['reasoning']>, string>> = {
  every_turn: 'sent back with every answer',
  where_known: 'sent back if known',
  left_out: 'left out',
};

function functionsText({ functionsByResponses: when }: Quirks): string[] {
  if (when === undefined) return [];
  return [
    when === 'reasoning'
      ? 'through Responses if an effort is given'
      : 'through Responses unless the effort is none',
  ];
}

function abilitiesText(abilities: Abilities = {}): string[] {
  const known = Object.entries(abilities);
  const named = (wanted: boolean) => known.filter(([, has]) => has === wanted).map(([name]) => name);
  return [...line('supports', named(true)), ...line('does not support', named(false))];
}

/**
 * What is known about a model: by its protocol, by its name, and for all models of the vendor, each with its source.
 * @param vendor what is known about its vendor; anything beyond that is from the configuration
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
  const stated = differing(quirks, known);
  const rest = without(quirks, stated);
  const ofRow = shared(rest, row);
  return [
    ...protocolFacts(protocol, quirks),
    ...modelFacts(protocol, name),
    ...factsText(without(rest, ofRow)).map((text) => ({ text, source: vendor.source })),
    ...factsText(ofRow).map((text) => ({ text, source: row.source ?? vendor.source })),
    ...factsText(stated).map((text) => ({ text, source: 'the configuration' })),
  ];
}

/** The facts that differ from the known ones; abilities are compared individually. */
function differing(quirks: Quirks, known: Quirks): Quirks {
  return picked(quirks, (name, value) => JSON.stringify(value) !== JSON.stringify(known[name]), known);
}

/** The facts that a row sets. */
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

/** What no server of a protocol supports. */
export function protocolFacts(protocol: ProtocolName, quirks: Quirks = {}): Fact[] {
  const rows = PROTOCOL_FACTS.filter(({ protocols }) => protocols.includes(protocol));
  const rule = NAME_RULES[protocol];
  const names = `function names: ${rule.first.source}, then ${rule.rest.source}, at most ${rule.longest} characters`;
  return [
    ...rows.flatMap(({ abilities, efforts, roles, stops, source }) =>
      [
        ...abilitiesText(abilities),
        ...(quirks.efforts ? [] : line('efforts, unless more is known', efforts)),
        ...(Object.keys(quirks.roles ?? {}).length > 0
          ? []
          : line('roles in translated requests, unless more is known', renamed(roles))),
        ...(stops === undefined ? [] : [`stop sequences: at most ${stops}`]),
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

/** What is known about models by their names, for the protocol in which they are called. */
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
    thinking === 'none' ? 'none' : thinking === 'adaptive' && budgets ? 'adaptive or budget' : thinking;
  return [
    `max_tokens ${maxTokens} unless the client sets it`,
    `thinking: ${ways}`,
    `efforts: ${efforts.join(', ') || 'none'}`,
    ...named({ sampling, 'JSON schema': jsonSchema, prefill }),
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
      'full JSON Schema': jsonSchema,
      'JSON with functions': jsonWithTools,
      'system instructions': system,
      penalties,
      'results by ID and signatures': pairsById,
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
    `tools that can be forced: ${demands}`,
    `caching: ${caching}`,
    `top_k: ${topK}`,
    ...line('built-in tools', Object.values(hosted) as string[]),
    ...named({ 'JSON schema': jsonSchema, "Mistral's call IDs": mistral }),
  ].join('; ');
}

function named(takes: Readonly<Record<string, boolean>>): string[] {
  const of = (wanted: boolean) =>
    Object.entries(takes)
      .filter(([, has]) => has === wanted)
      .map(([name]) => name);
  return [...line('supports', of(true)), ...line('does not support', of(false))];
}

function renamed(of: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(of).flatMap(([name, other]) => (name === other ? [] : [`${name} to ${other}`]));
}

function line(what: string, words: readonly string[] = []): string[] {
  return words.length > 0 ? [`${what}: ${words.join(', ')}`] : [];
}
