import type { KeyConfig } from './schema/auth.ts';
import type { LimitConfig } from './schema/groups.ts';
import type { Path, Positions } from './positions.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { cyclesIn } from './cycles.ts';
import { served } from './served.ts';
import { KnownNames } from './suggest.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Checks keys and issuers: names that clash or refer to nothing, secrets that are missing or used twice. */
export function checkAuth(config: Config, positions: Positions, env: Env): Problem[] {
  const { auth } = config;
  if (auth === undefined || auth === 'none') return [];
  const { keys, keys_file: file, issuers } = auth;
  if (keys.length === 0 && file === undefined && issuers.length === 0)
    return [
      positions.atValue(['auth'], 'auth needs `keys`, `keys_file` or `issuers`: otherwise nobody could call'),
    ];
  const certified = new Set(config.server.tls?.client_certs.map(({ key }) => key));
  const seen = new Set<string>();
  const secrets = new Map<string, string>();
  const problems = keys.flatMap((key, index) => {
    const at = ['auth', 'keys', index];
    const found: Problem[] = [];
    if (seen.has(key.name))
      found.push(positions.atValue([...at, 'name'], `a key named \`${key.name}\` exists already`));
    seen.add(key.name);
    const given = [key.key, key.key_env, key.hash].filter((value) => value !== undefined);
    // A caller with a client certificate needs no secret.
    const least = certified.has(key.name) ? 0 : 1;
    if (given.length < least || given.length > 1)
      found.push(positions.atValue(at, 'give exactly one of key, key_env, hash'));
    if (key.key_env !== undefined && !env[key.key_env]) {
      found.push(
        positions.atValue([...at, 'key_env'], `the environment variable ${key.key_env} is not set or empty`),
      );
    }
    const hash = hashOf(key, env);
    const other = hash === undefined ? undefined : secrets.get(hash);
    if (other !== undefined && other !== key.name) {
      const field = SECRETS.find((each) => key[each] !== undefined)!;
      found.push(positions.atValue([...at, field], `\`${other}\` is the same key by another name`));
    }
    if (hash !== undefined) secrets.set(hash, key.name);
    return [...found, ...checkGroup(key.group, [...at, 'group'], config, positions)];
  });
  const names = new Set<string>();
  for (const [index, { name, group }] of issuers.entries()) {
    const at = ['auth', 'issuers', index];
    if (names.has(name))
      problems.push(positions.atValue([...at, 'name'], `an issuer named \`${name}\` exists already`));
    names.add(name);
    problems.push(...checkGroup(group, [...at, 'group'], config, positions));
  }
  if (keys.length > 1 && file === undefined && keys.every(({ ops }) => ops === undefined)) {
    const message = 'no key may read /providers and /metrics; set `ops: true` or `ops: false` for one';
    problems.push(positions.atValue(['auth', 'keys', 0, 'name'], message, { severity: 'warning' }));
  }
  return problems;
}

/** The fields that hold the secret of a key. */
const SECRETS = ['key', 'key_env', 'hash'] as const;

/** The SHA-256 of a key as `hash` has it; `undefined` if its secret is unknown here. */
export function hashOf({ key, key_env: variable, hash }: KeyConfig, env: Env): string | undefined {
  if (hash !== undefined) return hash;
  const secret = key ?? (variable === undefined ? undefined : env[variable]);
  return secret ? `sha256:${new Bun.CryptoHasher('sha256').update(secret).digest('hex')}` : undefined;
}

/** Checks groups and limits: parents that are missing or form a cycle, models that no provider serves. */
export function checkLimits(config: Config, positions: Positions): Problem[] {
  const problems: Problem[] = [];
  const check = (limits: Using, at: Path): void =>
    void problems.push(...checkUses(limits, at, config, positions));
  for (const [name, group] of Object.entries(config.groups)) {
    const at = ['groups', name];
    problems.push(...checkGroup(group.parent, [...at, 'parent'], config, positions));
    check(group.limits, [...at, 'limits']);
    check(group.each_key, [...at, 'each_key']);
    check(group.each_user, [...at, 'each_user']);
  }
  for (const cycle of cyclesIn(Object.keys(config.groups), parentsOf(config)))
    problems.push(positions.atKey(['groups'], cycle[0]!, `group cycle: ${cycle.join(' -> ')}`));
  check(config.rate_limits, ['rate_limits']);
  if (config.auth === undefined || config.auth === 'none') return problems;
  for (const [index, { limits }] of config.auth.keys.entries())
    check(limits, ['auth', 'keys', index, 'limits']);
  return problems;
}

function parentsOf({ groups }: Config): (name: string) => readonly string[] {
  return (name) => {
    const parent = groups[name]?.parent;
    return parent !== undefined && Object.hasOwn(groups, parent) ? [parent] : [];
  };
}

type Using = readonly Pick<LimitConfig, 'when_used_up'>[];

/** Checks that the models to which limits redirect once they are used up are served by a provider. */
export function checkUses(limits: Using, at: Path, config: Config, positions: Positions): Problem[] {
  return limits.flatMap(({ when_used_up: then }, index) => {
    if (then === 'refuse' || served(config, then.use)) return [];
    const place = [...at, index, 'when_used_up', 'use'];
    return [positions.atValue(place, `no provider or alias serves \`${then.use}\``)];
  });
}

const known = new WeakMap<Config['groups'], KnownNames>();

/** Checks that a group that is referred to exists. */
export function checkGroup(
  group: string | undefined,
  at: Path,
  { groups }: Config,
  positions: Positions,
): Problem[] {
  if (group === undefined || Object.hasOwn(groups, group)) return [];
  let names = known.get(groups);
  if (!names) known.set(groups, (names = new KnownNames(() => Object.keys(groups))));
  return [positions.atValue(at, `there is no group \`${group}\` in \`groups\``, names.hint(group))];
}
