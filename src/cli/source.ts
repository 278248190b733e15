import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Found } from '../config/discover.ts';
import { discoverConfig } from '../config/discover.ts';
import { ConfigManager } from '../config/manager.ts';
import type { ReadPem } from '../config/tls-files.ts';
import { formatProblems } from '../config/problems.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';
import { useColor } from './output.ts';

/** The flag of commands that need a configuration. */
export const CONFIG_FLAG = {
  type: 'string',
  valueHint: 'file',
  description: 'Configuration file (default: $LLMPROXY_CONFIG, then ./config.yaml, then none)',
} as const;

export interface Source {
  readonly config: Config;
  /** Holds the file, where there is one. */
  readonly manager: ConfigManager | undefined;
  /** How each provider was found, when no file was read. */
  readonly found: readonly Found[] | undefined;
}

/**
 * The configuration file, or what the environment offers where there is none.
 * @param readPem reads the files of `server.tls`; left out by commands that do not serve
 */
export function readConfig(flag: string | undefined, readPem?: ReadPem): Source {
  const named = flag ?? (process.env.LLMPROXY_CONFIG || undefined);
  const path = named ?? 'config.yaml';
  if (named === undefined && !existsSync(path)) return { ...discoverConfig(process.env), manager: undefined };
  const manager = new ConfigManager(path, process.env, readPem);
  const config = read(manager);
  if (!config) throw new ExitError(1, `Cannot use ${path}: it is not valid, see above`);
  return { config, found: undefined, manager };
}

/** Reads the file and prints what is wrong with it. @throws ExitError when it cannot be read */
export function read(manager: ConfigManager): Config | undefined {
  const { path } = manager;
  try {
    const { config, problems } = manager.reload();
    if (problems.length > 0)
      process.stderr.write(`${formatProblems(problems, { path, color: useColor(process.stderr) })}\n`);
    return config;
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}
