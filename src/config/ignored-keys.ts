import type { Config } from './schema.ts';
import { resolveKeys } from './keys.ts';
import { PROVIDER_TYPES, presetOf } from './presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A vendor's key that the environment holds and no provider uses. */
export interface IgnoredKey {
  readonly variable: string;
  readonly type: string;
  /** The line of `providers` that uses it. */
  readonly line: string;
}

/** Keys in the environment that a configuration has no use for. A vendor that it names without them is meant so. */
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
    // Of two types of one vendor the first is named.
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
