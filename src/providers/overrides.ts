import type { ProviderConfig } from '../config/schema.ts';
import type { RequestChanges } from '../config/request-schema.ts';
import type { Quirks } from '../wire/quirks.ts';
import { globMatcher } from '../config/globs.ts';
import { mergeQuirks } from '../wire/quirks.ts';

/** What the operator says about some of a provider's models. */
export interface Overrides {
  /** @param model the name that the provider knows */
  readonly covers: (model: string) => boolean;
  readonly request?: RequestChanges | undefined;
  /** By which of OpenAI's APIs chats are asked. */
  readonly api?: 'chat' | 'responses' | undefined;
}

/** The provider's own first, then those of its models, which go over them. */
export function overridesOf({ request, api, models = [] }: ProviderConfig): readonly Overrides[] {
  const ofModels = models.flatMap((model) => {
    if (typeof model === 'string' || (!model.request && !model.api)) return [];
    return [{ covers: globMatcher(model.upstream ?? model.name), request: model.request, api: model.api }];
  });
  return request || api ? [{ covers: () => true, request, api }, ...ofModels] : ofModels;
}

/** What is known of a vendor's model, with the operator's words over it. */
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
    systemFirst: systemFirst === false ? undefined : merged.systemFirst,
    override: {
      set: { ...before.set, ...set },
      drop: [...(before.drop ?? []), ...(drop ?? [])],
      rename: { ...before.rename, ...rename },
    },
  };
}
