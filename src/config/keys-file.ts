/** The file of keys that `auth.keys_file` names, and what it adds to a configuration. */
import { LineCounter, parseDocument } from 'yaml';
import type { AuthConfig, KeysFile } from './auth-schema.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { checkGroup, checkUses } from './access-references.ts';
import { keysFile } from './auth-schema.ts';
import { explain } from './explain.ts';
import { jsonSchemaOf, knownKeysIn } from './json-schema.ts';
import { Positions } from './positions.ts';

/** A keys file as it was read. */
export interface KeysText {
  readonly path: string;
  /** `undefined` while there is no such file: then there are no keys in it. */
  readonly text: string | undefined;
}

export interface KeysResult {
  /** Left out when there are errors. */
  readonly file: KeysFile | undefined;
  /** In the order of the file, which each of them names. */
  readonly problems: readonly Problem[];
}

/** Reads a keys file: YAML, schema, and whether it fits the configuration that names it. */
export function readKeysFile({ path, text = '' }: KeysText, config: Config): KeysResult {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false });
  const positions = new Positions(document, counter, text);
  const broken = document.errors.map(({ pos: [from, to], message }) =>
    positions.at([], from, Math.max(1, to - from), `YAML: ${message}`),
  );
  if (broken.length > 0)
    return { file: undefined, problems: broken.map((each) => ({ ...each, file: path })) };
  const parsed = keysFile.safeParse(document.toJS() ?? {});
  const found = parsed.success
    ? checkKeys(parsed.data, config, positions)
    : explain(parsed.error.issues, positions, { known: knownKeysIn(jsonSchemaOf(keysFile)) });
  const problems = found
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map((each) => ({ ...each, file: path }));
  const valid = parsed.success && !problems.some(({ severity }) => severity === 'error');
  return { file: valid ? parsed.data : undefined, problems };
}

/** The configuration with the keys and raises of its keys file. */
export function withKeys(config: Config, { keys, raises }: KeysFile): Config {
  const { auth } = config;
  if (auth === undefined || auth === 'none') return config;
  return { ...config, auth: { ...auth, keys: [...auth.keys, ...keys], raises } };
}

/** What a valid shape can still get wrong: names that clash or lead nowhere. */
function checkKeys({ keys, raises }: KeysFile, config: Config, positions: Positions): Problem[] {
  const problems: Problem[] = [];
  const own = namesIn(config.auth);
  const names = new Set<string>();
  const hashes = new Map<string, string>();
  for (const [index, key] of keys.entries()) {
    const at = ['keys', index];
    const { name, group, limits } = key;
    if (own.has(name) || names.has(name)) {
      const place = own.has(name) ? ' in the configuration' : '';
      problems.push(positions.atValue([...at, 'name'], `a key named \`${name}\` exists already${place}`));
    }
    names.add(name);
    const owner = hashes.get(key.hash);
    if (owner !== undefined)
      problems.push(positions.atValue([...at, 'hash'], `\`${owner}\` is the same key by another name`));
    hashes.set(key.hash, name);
    problems.push(...checkGroup(group, [...at, 'group'], config, positions));
    problems.push(...checkUses(limits, [...at, 'limits'], config, positions));
  }
  for (const [index, { key }] of raises.entries()) {
    if (own.has(key) || names.has(key)) continue;
    const message = `there is no key named \`${key}\`: the raise has no effect`;
    problems.push(positions.atValue(['raises', index, 'key'], message, { severity: 'warning' }));
  }
  return problems;
}

function namesIn(auth: AuthConfig): ReadonlySet<string> {
  return new Set(auth === undefined || auth === 'none' ? [] : auth.keys.map(({ name }) => name));
}
