import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { ConfigSource, ReadConfig } from './yaml.ts';
import type { Path, Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config, ProviderConfig } from './schema.ts';
import { explain, wrongChoice } from './explain.ts';
import { jsonSchemaOf, knownKeysIn } from './json-schema.ts';
import { isBuiltIn, PROVIDER_TYPES } from './presets.ts';
import { schema } from './schema.ts';
import { readYaml } from './yaml.ts';

/** The plugins that a configuration names. */
export interface DeclaredPlugins {
  /** Their files, in order; relative paths are relative to the configuration. */
  readonly paths: readonly string[];
  /** The time limits for loading a plugin and for each of its hooks, milliseconds. */
  readonly limitMs: number;
}

/** What a configuration needs from its plugins. */
export interface PluginTypes {
  /** The provider types that they add, and the schemas of their options, if any. */
  readonly types: ReadonlyMap<string, z.ZodType | undefined>;
  /** Why plugins could not be loaded, by their position in the list. */
  readonly problems: readonly { readonly index: number; readonly message: string }[];
  /** A problem of one of their providers that only shows when it is constructed; `undefined` for none. */
  check(provider: ProviderConfig): string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The plugins that a configuration names, even if it has errors elsewhere. @param read the source as read, if it was */
export function declaredPlugins(
  source: ConfigSource,
  env: Env,
  { value }: Pick<ReadConfig, 'value'> = readYaml(source, env),
): DeclaredPlugins {
  const { plugins, plugin_timeout } = (value ?? {}) as { plugins?: unknown; plugin_timeout?: unknown };
  const paths = schema.shape.plugins.safeParse(plugins).data ?? [];
  const limitMs = schema.shape.plugin_timeout.safeParse(plugin_timeout).data;
  return {
    paths: paths.map((path) => resolve(dirname(source.path), path)),
    limitMs: limitMs ?? schema.shape.plugin_timeout.parse(undefined),
  };
}

interface Checked {
  /** Omitted if the plugins were not loaded. */
  readonly plugins: PluginTypes | undefined;
  /** Returns the options as parsed by their schemas; `undefined` if the configuration is invalid. */
  readonly shape: Config | undefined;
}

/** Checks what the schema leaves to plugins: the types of providers, and their options. */
export function checkTypes(value: unknown, positions: Positions, { plugins, shape }: Checked): Problem[] {
  const { providers, plugins: named } = value as { providers?: unknown; plugins?: unknown };
  const problems = (plugins?.problems ?? []).map(({ index, message }) =>
    positions.atValue(['plugins', index], message),
  );
  if (!Array.isArray(providers)) return problems;
  // If not all plugins are loaded, their types are unknown.
  const isOpen = plugins ? plugins.problems.length > 0 : Array.isArray(named) && named.length > 0;
  for (const [index, provider] of (providers as unknown[]).entries()) {
    const { type, options } = (provider ?? {}) as { type?: unknown; options?: unknown };
    if (typeof type !== 'string') continue;
    const at: Path = ['providers', index];
    if (isBuiltIn(type)) {
      const message = '`options` belongs to types of plugins; this one has its own keys';
      if (options !== undefined) problems.push(positions.atKey(at, 'options', message));
    } else if (plugins?.types.has(type)) {
      const found = checkOptions(options, plugins.types.get(type), [...at, 'options'], positions);
      problems.push(...found.problems);
      const checked = shape?.providers[index];
      if (!checked) continue;
      checked.options = found.options ?? checked.options;
      const wrong = found.problems.length === 0 ? plugins.check(checked) : undefined;
      if (wrong !== undefined) problems.push(positions.atValue(at, `provider \`${checked.name}\`: ${wrong}`));
    } else if (!isOpen) {
      const known = [...PROVIDER_TYPES, ...(plugins?.types.keys() ?? [])];
      problems.push(wrongChoice(positions, [...at, 'type'], known));
    }
  }
  return problems;
}

function checkOptions(
  given: unknown,
  options: z.ZodType | undefined,
  at: Path,
  positions: Positions,
): { options?: Record<string, unknown>; problems: Problem[] } {
  if (!options) {
    if (given === undefined) return { problems: [] };
    return { problems: [positions.atKey(at.slice(0, -1), 'options', 'this type has no options')] };
  }
  try {
    const parsed = options.safeParse(given ?? {});
    if (parsed.success) return { options: parsed.data as Record<string, unknown>, problems: [] };
    const known = (path: Path) => keysOf(options)(path.slice(at.length));
    return { problems: explain(parsed.error.issues, positions, { base: at, known }) };
  } catch (thrown) {
    // A refinement in the plugin's schema may throw, or be asynchronous.
    const message = `the options cannot be checked: ${(thrown as Error).message}`;
    return { problems: [positions.atValue(at, message)] };
  }
}

/** The keys that options may have, if their schema can be converted to JSON Schema. */
function keysOf(options: z.ZodType): (path: Path) => string[] {
  try {
    return knownKeysIn(jsonSchemaOf(options));
  } catch {
    return () => [];
  }
}
