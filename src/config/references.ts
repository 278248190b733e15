import type { Config, ProviderConfig, RouteConfig } from './schema.ts';
import type { Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import { cyclesIn } from './cycles.ts';
import { checkAuth, checkLimits } from './access-references.ts';
import { starOf } from './globs.ts';
import { hasCredentials, resolveKeys } from './keys.ts';
import { checkKeys } from './key-mistakes.ts';
import { ListChecks } from './list-mistakes.ts';
import { isBuiltIn, presetOf } from './presets.ts';
import { served } from './served.ts';
import { KnownNames } from './suggest.ts';
import { checkAddresses } from './url-mistakes.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Checks beyond the schema: names that clash or refer to nothing, keys that are missing or used twice. */
export function checkReferences(config: Config, positions: Positions, env: Env): Problem[] {
  return [
    ...checkProviders(config, positions, env),
    ...checkAddresses(config, positions),
    ...checkKeys(config, positions, env),
    ...checkRoutes(config, positions),
    ...checkAuth(config, positions, env),
    ...checkLimits(config, positions),
    ...new ListChecks(config, positions).all(),
    ...checkExport(config, positions),
  ];
}

function checkProviders({ providers, plugins }: Config, positions: Positions, env: Env): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  providers.forEach((provider, index) => {
    const at = ['providers', index];
    const { name, type } = provider;
    const preset = presetOf(type);
    if (seen.has(name))
      problems.push(positions.atValue([...at, 'name'], `a provider named \`${name}\` exists already`));
    seen.add(name);
    const given = (['api_keys', 'api_key', 'api_key_env'] as const).filter(
      (key) => provider[key] !== undefined,
    );
    if (given.length > 1) {
      const message = `${given.join(' and ')} are given together; keep one`;
      problems.push(positions.atValue([...at, given.at(-1)!], message));
    }
    if (provider.base_url === undefined && preset.baseUrl === undefined && !preset.located) {
      problems.push(
        positions.atValue(
          at,
          `provider \`${name}\` needs \`base_url\`: type ${type} has no address of its own`,
        ),
      );
    }
    problems.push(...checkOwnKeys(provider, at, positions, env));
    if (provider.base_url !== undefined)
      problems.push(...checkUrl(provider.base_url, [...at, 'base_url'], positions));
    if (provider.mock && preset.api !== 'mock') {
      problems.push(positions.atKey(at, 'mock', '`mock` belongs to providers of type mock'));
    }
    if (provider.passthrough && (preset.api === 'mock' || preset.api === 'bedrock')) {
      const message = `\`passthrough\` is not for providers of type ${type}`;
      problems.push(positions.atKey(at, 'passthrough', message));
    }
    if (provider.passthrough && provider.redact) {
      const message = '`passthrough` forwards requests unchanged: it cannot be combined with `redact`';
      problems.push(positions.atKey(at, 'passthrough', message));
    }
    // The requirements of an unknown type are unknown.
    const isKnown = isBuiltIn(type) || plugins.length > 0;
    if (isKnown && provider.enabled && (provider.models ?? preset.models).length === 0) {
      problems.push(
        positions.atValue(
          at,
          `provider \`${name}\` needs \`models\`: a list of names or globs, such as ["*"]`,
        ),
      );
    }
    problems.push(...checkKey(provider, at, positions, env));
  });
  return problems;
}

/** Settings that apply to one vendor only. */
const OWN_KEYS = {
  region: ['bedrock', 'vertex'],
  project: ['vertex'],
  profile: ['bedrock'],
  credentials_file: ['vertex'],
  api_version: ['azure'],
  tenant_id: ['azure'],
  client_id: ['azure'],
  client_secret: ['azure'],
} as const satisfies Partial<Record<keyof ProviderConfig, readonly string[]>>;

/** Settings that every provider of a type needs as soon as one of them is given. */
const ENTRA = ['tenant_id', 'client_id', 'client_secret'] as const;

function checkOwnKeys(
  provider: ProviderConfig,
  at: (string | number)[],
  positions: Positions,
  env: Env,
): Problem[] {
  const problems: Problem[] = [];
  for (const [key, types] of Object.entries(OWN_KEYS)) {
    if (provider[key as keyof ProviderConfig] === undefined) continue;
    if ((types as readonly string[]).includes(provider.type)) continue;
    const message = `\`${key}\` belongs to providers of type ${types.join(' or ')}`;
    problems.push(positions.atKey(at, key, message));
  }
  const missing = ENTRA.filter((key) => provider[key] === undefined);
  if (missing.length > 0 && missing.length < ENTRA.length) {
    const message = `signing in at Entra needs ${missing.map((key) => `\`${key}\``).join(' and ')} too`;
    problems.push(positions.atValue([...at, 'name'], message));
  }
  const lost = (key: string, variables: string) =>
    problems.push(positions.atValue(at, `provider \`${provider.name}\` needs \`${key}\` or ${variables}`));
  if (!provider.enabled || provider.base_url !== undefined) return problems;
  if (provider.type === 'bedrock' && !(provider.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION))
    lost('region', 'AWS_REGION');
  if (provider.type === 'vertex' && !(provider.project ?? env.GOOGLE_CLOUD_PROJECT))
    lost('project', 'GOOGLE_CLOUD_PROJECT');
  return problems;
}

function checkUrl(text: string, at: (string | number)[], positions: Positions): Problem[] {
  const { username, password, search, hash } = new URL(text);
  if (username || password)
    return [positions.atValue(at, 'base_url must not hold credentials; use api_key_env')];
  return search || hash ? [positions.atValue(at, 'base_url must not have a query or fragment')] : [];
}

/** A provider without its key is disabled, with a warning. */
function checkKey(
  provider: ProviderConfig,
  at: (string | number)[],
  positions: Positions,
  env: Env,
): Problem[] {
  if (!provider.enabled || hasCredentials(provider, env)) return [];
  const { source } = resolveKeys(provider, env);
  const message = `provider \`${provider.name}\` is off: its key is missing, set ${source === '' ? 'api_key_env' : source}`;
  return [positions.atValue([...at, 'name'], message, { severity: 'warning' })];
}

function targetsOf(route: RouteConfig): { name: string; path: (string | number)[] }[] {
  if (typeof route === 'string') return [{ name: route, path: [] }];
  const [targets, base] = Array.isArray(route) ? [route, []] : [route.targets, ['targets']];
  return targets.map((target, index) =>
    typeof target === 'string'
      ? { name: target, path: [...base, index] }
      : { name: target.target, path: [...base, index, 'target'] },
  );
}

function checkRoutes(config: Config, positions: Positions): Problem[] {
  const { models, providers } = config;
  const problems: Problem[] = [];
  const names = new KnownNames(() => [...Object.keys(models), ...providers.map(({ name }) => `${name}/...`)]);
  for (const [alias, route] of Object.entries(models)) {
    const star = starOf(alias);
    for (const { name, path } of targetsOf(route)) {
      const at = ['models', alias, ...path];
      if (name.includes('*') && !star) {
        const message = `models.${alias}: \`*\` in a target stands for the text that the \`*\` of the name matches, but the name does not have exactly one wildcard`;
        problems.push(positions.atValue(at, message));
        continue;
      }
      // A star may stand for anything.
      if (served(config, name.replace('*', 'x'), alias)) continue;
      const message = `models.${alias}: no provider or alias serves \`${name}\``;
      problems.push(positions.atValue(at, message, names.hint(name, alias)));
    }
  }
  for (const cycle of cyclesIn(Object.keys(models), aliasesIn(config)))
    problems.push(positions.atKey(['models'], cycle[0]!, `alias cycle: ${cycle.join(' -> ')}`));
  return problems;
}

/** The other aliases that one leads to. An alias that refers to itself means the providers' model of the same name. */
function aliasesIn({ models }: Config): (alias: string) => readonly string[] {
  return (alias) =>
    targetsOf(models[alias]!)
      .map(({ name }) => name)
      .filter((name) => name !== alias && Object.hasOwn(models, name));
}

function checkExport({ export: { start_date, end_date } }: Config, positions: Positions): Problem[] {
  if (start_date === undefined || end_date === undefined || start_date <= end_date) return [];
  return [positions.atValue(['export', 'end_date'], 'export.end_date is before export.start_date')];
}
