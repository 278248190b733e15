import type { z } from 'zod';
import type { PluginTypes } from '../config/plugin-types.ts';
import type { ProviderConfig } from '../config/schema.ts';
import type { ProviderClass } from '../providers/classes.ts';
import type { PluginClass } from '../providers/factory.ts';
import type { Plugin } from './plugin.ts';
import { ProxyError } from '../errors.ts';
import { HttpProvider } from '../providers/http.ts';
import { providerFactory } from '../providers/make.ts';
import { described } from './place.ts';
import { isBuiltIn } from '../config/presets.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Called with errors thrown by a plugin's code. @param what the failed operation: "Cannot get an answer from acme" */
export type Failed = (plugin: string, what: string, thrown: unknown) => void;

/** A provider class that a plugin exports. */
export interface ProviderExport {
  /** The value of `type` in config.yaml. */
  readonly type: string;
  readonly make: ProviderClass;
  /** The schema of its options, if it takes any. */
  readonly options: z.ZodType | undefined;
  /** The endpoint families that it serves. */
  readonly endpoints: readonly string[];
  /** Whether it extends HttpProvider. */
  readonly http: boolean;
}

/** A loaded plugin. */
export interface LoadedPlugin {
  readonly name: string;
  /** Its file as configured, which may be a symbolic link. */
  readonly path: string;
  /** The directory of its code, without symbolic links. */
  readonly folder: string;
  readonly providers: readonly ProviderExport[];
  readonly hooks: Plugin | undefined;
}

/** The plugins of one configuration: all of them, or why they cannot be loaded. */
export class Plugins implements PluginTypes {
  readonly all: readonly LoadedPlugin[];
  readonly problems: PluginTypes['problems'];
  readonly types: ReadonlyMap<string, z.ZodType | undefined>;
  /** How long each of their hooks may take, milliseconds. */
  readonly limitMs: number;
  readonly #env: Env;

  constructor(
    all: readonly LoadedPlugin[],
    { limitMs, env }: { readonly limitMs: number; readonly env: Env },
    problems: PluginTypes['problems'] = [],
  ) {
    this.all = all;
    this.limitMs = limitMs;
    this.#env = env;
    this.problems = [...problems, ...clashes(all)];
    this.types = new Map(
      all.flatMap(({ providers }) => providers.map(({ type, options }) => [type, options])),
    );
  }

  /** Their classes by type. @param failed called with errors that their code throws later */
  classes(failed: Failed): ReadonlyMap<string, PluginClass> {
    const found = this.all.flatMap(({ name, providers }) =>
      providers.map(({ type, make, endpoints }): [string, PluginClass] => {
        const plugin = { name, failed: (what: string, thrown: unknown) => failed(name, what, thrown) };
        return [type, { plugin, make, endpoints }];
      }),
    );
    return new Map(found);
  }

  /** A problem of a provider that only shows when it is constructed; `undefined` for none. */
  check(provider: ProviderConfig): string | undefined {
    try {
      const factory = providerFactory({ env: this.#env, plugins: this.classes(() => undefined) });
      const made = factory.create(provider);
      const model = made.settings.models[0]?.name ?? '';
      made.protocol(model);
      made.relays('chat', model);
      if (made instanceof HttpProvider) void new URL(made.baseUrl);
      made.close();
      return undefined;
    } catch (thrown) {
      return thrown instanceof ProxyError ? thrown.message : described(thrown);
    }
  }

  /** The plugin whose code threw an error, as far as its stack tells. */
  ownerOf(thrown: unknown): LoadedPlugin | undefined {
    const stack = (thrown as { stack?: unknown } | undefined)?.stack;
    if (typeof stack !== 'string') return undefined;
    return (
      this.all.find(({ path }) => stack.includes(path)) ??
      this.all.find(({ folder }) => stack.includes(`${folder}/`))
    );
  }
}

/** No plugins. */
export const NO_PLUGINS = new Plugins([], { limitMs: 0, env: {} });

/** Types that are built in, or that two plugins define. */
function clashes(all: readonly LoadedPlugin[]): PluginTypes['problems'] {
  const owners = new Map<string, string>();
  return all.flatMap(({ name, providers }, index) =>
    providers.flatMap(({ type }) => {
      const other = isBuiltIn(type) ? 'this program' : owners.get(type);
      owners.set(type, `plugin ${name}`);
      const message = `plugin ${name}: its type \`${type}\` is taken by ${other}; choose another`;
      return other === undefined ? [] : [{ index, message }];
    }),
  );
}
