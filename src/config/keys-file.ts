/** The file of keys that `auth.keys_file` names, and its merge into the configuration. */
import { LineCounter, parseDocument } from 'yaml';
import type { AuthConfig, KeyConfig, KeysFile } from './schema/auth.ts';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';
import { checkGroup, checkUses, hashOf } from './access-references.ts';
import { keysFile } from './schema/auth.ts';
import { explain } from './explain.ts';
import { jsonSchemaOf, knownKeysIn } from './json-schema.ts';
import { keysFromEntries } from './key-entries.ts';
import { plainYaml } from './plain-yaml.ts';
import { ListChecks } from './list-mistakes.ts';
import { Positions } from './positions.ts';
import { parsedYaml, valuesOf } from './yaml.ts';

/** A keys file as it was read. */
export interface KeysText {
  readonly path: string;
  /** `undefined` if the file does not exist, which means that it contains no keys. */
  readonly text: string | undefined;
}

export interface KeysResult {
  /** Omitted if there are errors. */
  readonly file: KeysFile | undefined;
  /** In the order of the file; each of them names the file. */
  readonly problems: readonly Problem[];
}

/** What to do about a keys file without keys while keys of it are in effect. */
export const RESTORE = 'restore it, or write `keys: []` into it to revoke all of its keys';

/**
 * Reads a keys file: YAML, schema, and consistency with the configuration that names it.
 * @param isInUse whether keys of such a file are in effect, which one without a list of keys must not revoke
 */
export function readKeysFile({ path, text }: KeysText, config: Config, isInUse = false): KeysResult {
  const { file, positions, problems } = parsedKeys(text ?? '');
  const found = file ? [...checkKeys(file, config, positions)] : [...problems];
  if (file && text !== undefined && !hasList(text)) found.push(checkEmpty(positions, isInUse));
  const placed = found
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map((each) => ({ ...each, file: path }));
  const valid = !placed.some(({ severity }) => severity === 'error');
  return { file: valid ? file : undefined, problems: placed };
}

/** Whether a valid keys file has a list of keys, even if it is empty. */
function hasList(text: string): boolean {
  return /(?:^|[\s{,])(?:"keys"|'keys'|keys)\s*:/.test(text.replaceAll(/^\s*#.*$/gm, ''));
}

/** An empty file is most likely a failed write; an empty list is a decision. */
function checkEmpty(positions: Positions, isInUse: boolean): Problem {
  if (isInUse)
    return positions.at(
      [],
      0,
      1,
      `this file has no list of keys, most likely because writing it failed: ${RESTORE}`,
    );
  const message = 'this file has no list of keys: restore it, or write `keys: []` if there are none';
  return positions.at([], 0, 1, message, { severity: 'warning' });
}

interface ParsedKeys {
  /** Omitted if there are problems. */
  readonly file: KeysFile | undefined;
  readonly positions: Positions;
  readonly problems: readonly Problem[];
}

/**
 * Parses the text of a keys file. Valid texts, which are the rule, are parsed by a fast parser without positions, and
 * parsed again when a position is needed.
 */
function parsedKeys(text: string): ParsedKeys {
  const known = keysFromEntries(text) ?? plainKeys(text);
  if (known) return { file: known, positions: placesIn(text), problems: [] };
  const parsed = parsedYaml(text);
  const { positions, problems } = parsed;
  const value = valuesOf(parsed);
  if (value === undefined) return { file: undefined, positions, problems };
  const checked = keysFile.safeParse(value ?? {});
  const wrong = checked.success ? [] : explain(checked.error.issues, positions, { known: KNOWN() });
  const file = problems.length === 0 ? checked.data : undefined;
  return { file, positions, problems: [...problems, ...wrong] };
}

/** A valid file in another notation. */
function plainKeys(text: string): KeysFile | undefined {
  const plain = plainYaml(text);
  return plain && keysFile.safeParse(plain.value ?? {}).data;
}

const KNOWN = () => knownKeysIn(jsonSchemaOf(keysFile));

function placesIn(text: string): Positions {
  return new Positions(() => {
    const counter = new LineCounter();
    return { document: parseDocument(text, { lineCounter: counter }), counter };
  }, text);
}

/** Merges the keys and raises of a keys file into the configuration. */
export function withKeys(config: Config, { keys, raises }: KeysFile): Config {
  const { auth } = config;
  if (auth === undefined || auth === 'none') return config;
  return { ...config, auth: { ...auth, keys: [...auth.keys, ...keys], raises } };
}

/** Checks beyond the schema: names that clash or refer to nothing. */
function checkKeys({ keys, raises }: KeysFile, config: Config, positions: Positions): Problem[] {
  const problems: Problem[] = [];
  const own = namesIn(config.auth);
  const names = new Set<string>();
  // Keys whose secret is in a variable are unknown here.
  const hashes = new Map(
    keysIn(config.auth).flatMap((key): [string, string][] => {
      const hash = hashOf(key, {});
      return hash === undefined ? [] : [[hash, key.name]];
    }),
  );
  const lists = new ListChecks(config, positions);
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
    problems.push(...lists.key(key, at));
  }
  for (const [index, { key }] of raises.entries()) {
    if (own.has(key) || names.has(key)) continue;
    const message = `there is no key named \`${key}\`: the raise has no effect`;
    problems.push(positions.atValue(['raises', index, 'key'], message, { severity: 'warning' }));
  }
  return problems;
}

function namesIn(auth: AuthConfig): ReadonlySet<string> {
  return new Set(keysIn(auth).map(({ name }) => name));
}

function keysIn(auth: AuthConfig): readonly KeyConfig[] {
  return auth === undefined || auth === 'none' ? [] : auth.keys;
}
