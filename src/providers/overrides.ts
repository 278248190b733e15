import type { ProviderConfig } from '../config/schema.ts';
import type { RequestChanges } from '../config/schema/request-changes.ts';
import type { Abilities, Ability } from '../wire/facts/abilities.ts';
import type { Quirks } from '../wire/quirks.ts';
import { globMatcher } from '../config/globs.ts';
import { SHAPES } from '../wire/facts/shapes.ts';
import { mergeQuirks } from '../wire/quirks.ts';

/** Facts from the configuration about some of a provider's models. */
export interface Overrides {
  /** @param model its upstream name */
  readonly covers: (model: string) => boolean;
  readonly request?: RequestChanges | undefined;
  /** The OpenAI API used for chats. */
  readonly api?: 'chat' | 'responses' | undefined;
  readonly abilities?: Abilities | undefined;
  /** The model whose facts apply, if the model's own name does not tell them. */
  readonly like?: string | undefined;
}

/** Those of the provider first, then those of its models, which take precedence. */
export function overridesOf({ models = [], ...config }: ProviderConfig): readonly Overrides[] {
  const ofModels = models.flatMap((model) => {
    if (typeof model === 'string') return [];
    const { request, api, abilities, like } = model;
    if (!request && !api && !abilities && like === undefined) return [];
    return [{ covers: globMatcher(model.upstream ?? model.name), request, api, abilities, like }];
  });
  const { request, api, abilities } = config;
  return request || api || abilities
    ? [{ covers: () => true, request, api, abilities }, ...ofModels]
    : ofModels;
}

/** What is known about a vendor's model, overridden by the configuration. */
export function overridden(known: Quirks, { set, drop, rename, keep, ...facts }: RequestChanges): Quirks {
  const { roles, efforts, system_first: systemFirst } = facts;
  const merged = mergeQuirks(known, {
    ...(roles ? { roles } : {}),
    ...(efforts ? { efforts } : {}),
    ...(systemFirst ? { systemFirst } : {}),
  });
  const { override: before = {} } = known;
  return {
    ...merged,
    drops: merged.drops?.filter((name) => !keep?.includes(name)) ?? [],
    exclusive: merged.exclusive?.filter(([, name]) => !keep?.includes(name)),
    keeps: [...(merged.keeps ?? []), ...(keep ?? [])],
    abilities: keeping(merged.abilities, keep),
    systemFirst: systemFirst === false ? undefined : merged.systemFirst,
    override: {
      set: { ...before.set, ...set },
      drop: [...(before.drop ?? []), ...(drop ?? [])],
      rename: { ...before.rename, ...rename },
    },
  };
}

/** The unsupported fields, except those that the configuration sets explicitly. */
function keeping(abilities: Abilities = {}, keep: readonly string[] = []): Abilities {
  if (keep.length === 0) return abilities;
  const { fields } = SHAPES.chat;
  const kept = Object.keys(abilities).filter((name) =>
    (fields[name as Ability] ?? []).some((field) => keep.includes(field)),
  );
  return { ...abilities, ...Object.fromEntries(kept.map((name) => [name, true])) };
}
