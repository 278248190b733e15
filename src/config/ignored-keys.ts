import type { Config } from './schema.ts';
import { resolveKeys } from './keys.ts';
import { PROVIDER_TYPES, presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A vendor's key in the environment that no provider uses. */
export interface IgnoredKey {
  readonly variable: string;
  readonly type: string;
  /** The line to add to `providers` in order to use it. */
  readonly line: string;
}

/**
 * Keys in the environment that the configuration does not use. A vendor that is configured without its key is left out
 * on purpose.
 */
export function ignoredKeys({ providers, auth }: Config, env: Env): IgnoredKey[] {
  const configured = new Set<string>(providers.map(({ type }) => type));
  const clients = auth === undefined || auth === 'none' ? [] : auth.keys;
  const used = new Set([
    ...providers.flatMap((provider) => resolveKeys(provider, env).keys),
    ...clients.flatMap(({ key, key_env: variable }) => [
      key,
      variable === undefined ? undefined : env[variable],
    ]),
  ]);
  const seen = new Set<string>();
  return PROVIDER_TYPES.flatMap((type) => {
    const variable = presetOf(type).keyEnv.find((name) => env[name]);
    if (variable === undefined || seen.has(variable) || used.has(env[variable])) return [];
    // If a vendor has two types, the first one is named.
    seen.add(variable);
    const namesakes = PROVIDER_TYPES.filter((each) => presetOf(each).keyEnv.includes(variable));
    if (namesakes.some((each) => configured.has(each))) return [];
    return [{ variable, type, line: lineFor(type, variable) }];
  });
}

function lineFor(type: string, variable: string): string {
  const { baseUrl, located, models } = presetOf(type);
  const url =
    baseUrl === undefined && !located
      ? ', base_url: ..., models: ["*"]'
      : models.length === 0
        ? ', models: ["*"]'
        : '';
  return `- { name: ${type}, type: ${type}, api_key_env: ${variable}${url} }`;
}
