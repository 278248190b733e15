import { dirname, resolve } from 'node:path';
import type { Config } from './schema.ts';
import type { Problem } from './problems.ts';
import { explain } from './explain.ts';
import type { KeysText } from './keys-file.ts';
import { readKeysFile, withKeys } from './keys-file.ts';
import { hasCredentials } from './keys.ts';
import type { Positions } from './positions.ts';
import { checkOpenDoor } from './open-door.ts';
import { checkReferences } from './references.ts';
import type { PluginTypes } from './plugin-types.ts';
import { checkTypes } from './plugin-types.ts';
import { schema } from './schema.ts';
import { checkClientCerts, checkServer, checkTls } from './server-references.ts';
import type { ReadPem } from './tls-files.ts';
import type { ConfigSource } from './yaml.ts';
import { readYaml } from './yaml.ts';

export interface LoadResult {
  /** Left out when there are errors. Providers whose key is missing are in it, not enabled. */
  readonly config: Config | undefined;
  /** Everything found: in the order of the file, and then what its keys file has. */
  readonly problems: readonly Problem[];
  /**
   * The configuration without its keys file as far as its own shape is valid, though names may lead nowhere and variables be
   * missing: enough to work on its keys.
   */
  readonly shape: Config | undefined;
  /** The keys file that it names, where there is a way to read it. */
  readonly keysFile: KeysText | undefined;
  /** Why it is not served as it is written, beside its errors: flags of `serve` may still mend that. */
  readonly unserved: readonly Problem[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Gives the text of a file, `undefined` when there is no such file. @throws what the file system throws */
export type ReadText = (path: string) => string | undefined;

/** A configuration as it is written, and what of the world around it is looked at. */
export interface LoadOptions extends ConfigSource {
  /** What `${VAR}` stands for, and where providers' keys are. */
  readonly env: Env;
  /** Reads the keys file that it names, whose keys are left out where this is not given. */
  readonly readKeys?: ReadText | undefined;
  /** Reads the files of `server.tls`, which are not looked at where this is not given. */
  readonly readPem?: ReadPem | undefined;
  /** What the plugins that it names have; where they were not loaded, any type of provider may be theirs. */
  readonly plugins?: PluginTypes | undefined;
}

/** A parser that is compiled first pays for itself by the second parse; a configuration is read once. */
const ONCE = { jitless: true } as const;

/** Reads a configuration: YAML, `${VAR}`, schema, references. All problems of the file are found at once. */
export function loadConfig({ env, readKeys, readPem, plugins, ...source }: LoadOptions): LoadResult {
  const { value, positions, problems } = readYaml(source, env);
  if (value === undefined)
    return { config: undefined, problems, shape: undefined, keysFile: undefined, unserved: [] };
  const parsed = schema.safeParse(value, ONCE);
  // A value that could not be filled in fails the schema for that reason alone.
  const filled = problems.map(({ line }) => line);
  if (!parsed.success) {
    problems.push(...explain(parsed.error.issues, positions).filter(({ line }) => !filled.includes(line)));
  } else {
    problems.push(...checkReferences(parsed.data, positions, env), ...checkServer(parsed.data, positions));
    if (readPem) problems.push(...checkTls(parsed.data, positions, dirname(source.path), readPem));
  }
  problems.push(...checkTypes(value, positions, { plugins, shape: parsed.data }));
  const shape = parsed.data;
  const { keysFile, unread } = keysOf(shape, source.path, positions, readKeys);
  problems.push(...unread);
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  const keys = shape && keysFile && readKeysFile(keysFile, shape);
  if (keys) problems.push(...keys.problems);
  const whole = keys?.file && shape ? withKeys(shape, keys.file) : shape;
  // Without its keys file nothing can be said about names of keys.
  const complete = keys?.file !== undefined || (shape && keysPathOf(shape, source.path) === undefined);
  if (whole && complete) problems.push(...checkClientCerts(whole, positions));
  const valid = shape && !problems.some(({ severity }) => severity === 'error');
  return {
    config: valid && whole ? withoutKeyless(whole, env) : undefined,
    problems,
    shape,
    keysFile,
    unserved: shape ? checkOpenDoor(shape, positions) : [],
  };
}

/** Where the keys file of a configuration lies: beside it, unless its path is absolute. */
export function keysPathOf({ auth }: Pick<Config, 'auth'>, path: string): string | undefined {
  const file = auth === undefined || auth === 'none' ? undefined : auth.keys_file;
  return file === undefined ? undefined : resolve(dirname(path), file);
}

/** The keys file, and what keeps it from being read. */
function keysOf(
  config: Config | undefined,
  source: string,
  positions: Positions,
  readKeys: ReadText | undefined,
): { keysFile: KeysText | undefined; unread: readonly Problem[] } {
  const path = config && keysPathOf(config, source);
  if (path === undefined || readKeys === undefined) return { keysFile: undefined, unread: [] };
  const at = ['auth', 'keys_file'];
  try {
    const text = readKeys(path);
    const missing = `there is no ${path} yet: \`llmproxy keys create NAME\` makes it`;
    const unread = text === undefined ? [positions.atValue(at, missing, { severity: 'warning' })] : [];
    return { keysFile: { path, text }, unread };
  } catch (cause) {
    const message = `Cannot read ${path}: ${(cause as Error).message}`;
    return { keysFile: { path, text: undefined }, unread: [positions.atValue(at, message)] };
  }
}

function withoutKeyless(config: Config, env: Env): Config {
  const providers = config.providers.map((provider) => {
    return hasCredentials(provider, env) ? provider : { ...provider, enabled: false };
  });
  return { ...config, providers };
}
