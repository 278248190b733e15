/** Locates the keys file and the configuration that it belongs to. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { KeyConfig } from '../../config/schema/auth.ts';
import type { Config } from '../../config/schema.ts';
import { discoverConfig } from '../../config/discover.ts';
import { readKeysFile } from '../../config/keys-file.ts';
import { keysPathOf, loadConfig } from '../../config/load.ts';
import { readIfThere } from '../../config/manager.ts';
import { fileReason } from '../../logs/names.ts';
import { ExitError } from '../exit.ts';
import { printProblems } from '../problems-text.ts';
import { CONFIG_FLAG } from '../source.ts';

/** The flags of all commands that manage keys. */
export const PLACE_FLAGS = {
  config: CONFIG_FLAG,
  file: {
    type: 'string',
    valueHint: 'file',
    description: "Keys file (default: the configuration's auth.keys_file)",
  },
} as const;

export interface Place {
  /** The keys file. */
  readonly path: string;
  /** The configuration without the keys file; one derived from the environment if there is no file. */
  readonly config: Config;
  /** The path of the configuration; `undefined` if there is none. */
  readonly configPath: string | undefined;
  /** Whether the configuration names the keys file, so that a proxy reads it. */
  readonly named: boolean;
}

/**
 * Locates the keys file. The configuration only needs a valid shape: variables that exist only on the server may be
 * missing here.
 * @throws ExitError when there is no keys file
 */
export function findPlace(flags: { config?: string | undefined; file?: string | undefined }): Place {
  const given = flags.config ?? (process.env.LLMPROXY_CONFIG || undefined);
  const configPath = given ?? 'config.yaml';
  const file = flags.file === undefined ? undefined : resolve(flags.file);
  if (given === undefined && !existsSync(configPath)) {
    const { config } = discoverConfig(process.env);
    if (file !== undefined) return { path: file, config, configPath: undefined, named: false };
    throw new ExitError(1, `Cannot find the keys file: there is no ${configPath}; name one with --file`);
  }
  const config = shapeOf(configPath);
  const named = keysPathOf(config, configPath);
  const path = file ?? named;
  if (path !== undefined) return { path, config, configPath, named: path === named };
  throw new ExitError(1, `Cannot find the keys file: ${configPath} names none. ${advice(config)}`);
}

/** The lines to add to a configuration that names no keys file. */
function advice({ auth }: Config): string {
  const lines = auth === undefined ? 'auth:\n  keys_file: keys.yaml' : '  keys_file: keys.yaml';
  const where =
    auth === undefined
      ? 'Add to it'
      : auth === 'none'
        ? 'Write instead of `auth: none`'
        : 'Add below `auth:`';
  const shown = auth === 'none' ? `auth:\n${lines}` : lines;
  return `${where}\n\n${shown}\n\nor name a file with --file`;
}

function shapeOf(path: string): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
  const { shape, problems } = loadConfig({ path, text, env: process.env });
  if (shape) return shape;
  printProblems(problems, path);
  throw new ExitError(1, `Cannot use ${path}: it is not valid, see above`);
}

/** A key, and whether it is in the keys file. */
export interface PlacedKey {
  readonly key: KeyConfig;
  readonly inFile: boolean;
}

/** All keys: those in the configuration, then those in the keys file. @throws ExitError when that is invalid */
export function keysAt({ path, config }: Place): { keys: PlacedKey[]; raises: readonly Raised[] } {
  const { file, problems } = readKeysFile({ path, text: textAt(path) }, config);
  printProblems(problems, path);
  if (!file) throw new ExitError(1, `Cannot use ${path}: it is not valid, see above`);
  return {
    keys: [
      ...keysIn(config).map((key) => ({ key, inFile: false })),
      ...file.keys.map((key) => ({ key, inFile: true })),
    ],
    raises: file.raises,
  };
}

type Raised = NonNullable<ReturnType<typeof readKeysFile>['file']>['raises'][number];

/** The keys in the configuration itself. */
export function keysIn({ auth }: Config): readonly KeyConfig[] {
  return auth === undefined || auth === 'none' ? [] : auth.keys;
}

/** The text of the keys file; `undefined` if it does not exist yet. @throws ExitError when it cannot be read */
export function textAt(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}
