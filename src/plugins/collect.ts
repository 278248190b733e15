import { realpathSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import type { z } from 'zod';
import type { ProviderClass } from '../providers/classes.ts';
import type { LoadedPlugin, ProviderExport } from './loaded.ts';
import type { Plugin } from './plugin.ts';
import { PluginError } from './place.ts';
import { nearest } from '../config/suggest.ts';
import { BaseProvider } from '../providers/base.ts';
import { HttpProvider } from '../providers/http.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';

const HOOKS = ['onRequest', 'onAnswer', 'onRecord'] as const;

const FAMILIES = [...new Set(Object.values(ENDPOINTS).map(({ family }) => family))] as readonly string[];

/** A class as a plugin writes it. */
interface Written {
  readonly name: string;
  readonly prototype: unknown;
  readonly type?: unknown;
  readonly options?: unknown;
  readonly endpoints?: unknown;
}

/**
 * Collects what a plugin's file exports: provider classes, and hooks as the default export.
 * @param path of the file
 * @throws PluginError that says what is wrong with it
 */
export function collect(path: string, exported: Readonly<Record<string, unknown>>): LoadedPlugin {
  const classes = new Set(Object.values(exported).filter(isProviderClass));
  const providers = [...classes].map(providerOf);
  const hooks = isProviderClass(exported.default) ? undefined : hooksOf(exported.default);
  if (providers.length === 0 && !hooks) {
    throw new PluginError(
      'it exports nothing to use: export a class that extends BaseProvider or HttpProvider, or hooks by default',
    );
  }
  const name = hooks?.name ?? basename(path, extname(path));
  return { name, path, folder: dirname(realpathSync(path)), providers, hooks };
}

function isProviderClass(value: unknown): value is Written {
  return typeof value === 'function' && value.prototype instanceof BaseProvider;
}

function providerOf(written: Written): ProviderExport {
  const { name, type, options, endpoints = ['chat'] } = written;
  // A class may be exported under a name other than its own, which is shortened in a minified program.
  const who = `its class ${name}`;
  if (typeof type !== 'string' || !/^[a-z0-9][a-z0-9._-]*$/.test(type)) {
    const needed = "static type = 'acme': small letters, digits, '.', '_', '-'";
    throw new PluginError(`${who} needs \`${needed}\``);
  }
  if (options !== undefined && !isSchema(options))
    throw new PluginError(`${who} needs a zod schema as its \`static options\`, such as z.strictObject({})`);
  const isList = Array.isArray(endpoints) && endpoints.every((each) => FAMILIES.includes(each as string));
  if (!isList)
    throw new PluginError(`${who} needs \`static endpoints\` to be a list of ${FAMILIES.join(', ')}`);
  return {
    type,
    make: written as unknown as ProviderClass,
    options,
    endpoints: endpoints as string[],
    http: written.prototype instanceof HttpProvider,
  };
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof (value as { safeParse?: unknown } | null)?.safeParse === 'function';
}

function hooksOf(value: unknown): Plugin | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null)
    throw new PluginError('its default export is not an object of hooks');
  const known = ['name', ...HOOKS];
  for (const [key, hook] of Object.entries(value)) {
    if (key === 'name') {
      if (typeof hook !== 'string' || hook === '')
        throw new PluginError('the `name` of its hooks is not a text');
      continue;
    }
    if (!known.includes(key)) {
      const [close] = nearest(key, known, 1);
      const hint = close ? `did you mean \`${close}\`?` : `known here: ${known.join(', ')}`;
      throw new PluginError(`its default export has an unknown hook \`${key}\`: ${hint}`);
    }
    if (typeof hook !== 'function') throw new PluginError(`its hook \`${key}\` is not a function`);
  }
  return value as Plugin;
}
