import { dirname, resolve } from 'node:path';
import type { Config } from './schema.ts';
import type { Problem } from './problems.ts';
import { explain } from './explain.ts';
import type { KeysText } from './keys-file.ts';
import { readKeysFile, RESTORE, withKeys } from './keys-file.ts';
import { hasCredentials } from './keys.ts';
import type { Positions } from './positions.ts';
import { checkOpenAccess } from './open-access.ts';
import { checkReferences } from './references.ts';
import type { PluginTypes } from './plugin-types.ts';
import { checkTypes } from './plugin-types.ts';
import { schema } from './schema.ts';
import { checkClientCerts, checkServer, checkTls } from './server-references.ts';
import type { ReadPem } from './tls-files.ts';
import type { ConfigSource, ReadConfig } from './yaml.ts';
import { readYaml } from './yaml.ts';

export interface LoadResult {
  /** Omitted if there are errors. It includes providers whose key is missing, as disabled. */
  readonly config: Config | undefined;
  /** All problems: first those of the file, in its order, then those of its keys file. */
  readonly problems: readonly Problem[];
  /**
   * The configuration without its keys file if its shape is valid, even if names refer to nothing and variables are
   * missing: enough for commands that manage its keys.
   */
  readonly shape: Config | undefined;
  /** The keys file that it names, if a reader for it was given. */
  readonly keysFile: KeysText | undefined;
  /** Why it must not be served as it is, in addition to its errors: flags of `serve` may resolve that. */
  readonly unserved: readonly Problem[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Returns the text of a file, `undefined` if it does not exist. @throws as the file system does */
export type ReadText = (path: string) => string | undefined;

/** The text of a configuration, and the parts of its surroundings that are consulted. */
export interface LoadOptions extends ConfigSource {
  /** The environment, for `${VAR}` and for keys of providers. */
  readonly env: Env;
  /** Reads the keys file; without it, its keys are left out. */
  readonly readKeys?: ReadText | undefined;
  /**
   * Whether keys from a keys file are in effect. They are not revoked by a file that has vanished or is empty, which is
   * most likely a failed write.
   */
  readonly hasFileKeys?: boolean | undefined;
  /** Reads the files of `server.tls`; without it, they are not checked. */
  readonly readPem?: ReadPem | undefined;
  /** What the plugins provide; if they were not loaded, any type of provider is accepted. */
  readonly plugins?: PluginTypes | undefined;
  /** The source as read, if it was. */
  readonly read?: ReadConfig | undefined;
}

/** Compiling a parser only pays off from the second parse on, and a configuration is parsed once. */
const ONCE = { jitless: true } as const;

/** Loads a configuration: YAML, `${VAR}`, schema, references. All problems are found at once. */
export function loadConfig({
  env,
  readKeys,
  hasFileKeys = false,
  readPem,
  plugins,
  read,
  ...source
}: LoadOptions): LoadResult {
  const { value, positions, problems: found } = read ?? readYaml(source, env);
  const problems = [...found];
  if (value === undefined)
    return { config: undefined, problems, shape: undefined, keysFile: undefined, unserved: [] };
  const parsed = schema.safeParse(value, ONCE);
  // A value that could not be interpolated fails the schema for no other reason.
  const filled = new Set(problems.map(({ line }) => line));
  if (!parsed.success) {
    problems.push(...explain(parsed.error.issues, positions).filter(({ line }) => !filled.has(line)));
  } else {
    problems.push(...checkReferences(parsed.data, positions, env), ...checkServer(parsed.data, positions));
    if (readPem) problems.push(...checkTls(parsed.data, positions, dirname(source.path), readPem));
  }
  problems.push(...checkTypes(value, positions, { plugins, shape: parsed.data }));
  const shape = parsed.data;
  const { keysFile, unread } = keysOf(shape, { source: source.path, positions, readKeys, hasFileKeys });
  problems.push(...unread);
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  const keys = shape && keysFile && readKeysFile(keysFile, shape, hasFileKeys);
  if (keys) problems.push(...keys.problems);
  const whole = keys?.file && shape ? withKeys(shape, keys.file) : shape;
  // Without the keys file, names of keys cannot be checked.
  const complete = keys?.file !== undefined || (shape && keysPathOf(shape, source.path) === undefined);
  if (whole && complete) problems.push(...checkClientCerts(whole, positions));
  const valid = shape && !problems.some(({ severity }) => severity === 'error');
  return {
    config: valid && whole ? withoutKeyless(whole, env) : undefined,
    problems,
    shape,
    keysFile,
    unserved: shape ? checkOpenAccess(shape, positions) : [],
  };
}

/** The path of the keys file: relative to the configuration unless it is absolute. */
export function keysPathOf({ auth }: Pick<Config, 'auth'>, path: string): string | undefined {
  const file = auth === undefined || auth === 'none' ? undefined : auth.keys_file;
  return file === undefined ? undefined : resolve(dirname(path), file);
}

/** Reads the keys file, or reports why it cannot be read. */
function keysOf(
  config: Config | undefined,
  {
    source,
    positions,
    readKeys,
    hasFileKeys,
  }: {
    readonly source: string;
    readonly positions: Positions;
    readonly readKeys: ReadText | undefined;
    readonly hasFileKeys: boolean;
  },
): { keysFile: KeysText | undefined; unread: readonly Problem[] } {
  const path = config && keysPathOf(config, source);
  if (path === undefined || readKeys === undefined) return { keysFile: undefined, unread: [] };
  const at = ['auth', 'keys_file'];
  try {
    const text = readKeys(path);
    const missing = hasFileKeys
      ? positions.atValue(at, `there is no ${path} any more: ${RESTORE}`)
      : positions.atValue(at, `there is no ${path} yet: \`llmproxy keys create NAME\` creates it`, {
          severity: 'warning',
        });
    return { keysFile: { path, text }, unread: text === undefined ? [missing] : [] };
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
