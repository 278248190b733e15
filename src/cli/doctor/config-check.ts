import { existsSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import type { Plugins } from '../../plugins/loaded.ts';
import { discoverConfig } from '../../config/discover.ts';
import { ignoredKeys } from '../../config/ignored-keys.ts';
import { listed } from '../../config/listed.ts';
import { fileReason } from '../../logs/names.ts';
import { NO_PLUGINS } from '../../plugins/loaded.ts';
import { checkedConfig } from '../checked-config.ts';
import { ExitError } from '../exit.ts';
import { refuseOpenAccess } from '../serve-settings.ts';
import type { Finding } from './finding.ts';
import { counted, failed, ok, warning } from './finding.ts';

export interface ConfigCheck {
  readonly findings: readonly Finding[];
  /** The configuration if its shape is valid: enough to check what it refers to. */
  readonly config: Config | undefined;
  readonly plugins: Plugins;
}

/** Checks the configuration that `serve` would use. @param flag the file given on the command line */
export async function checkConfig(flag: string | undefined): Promise<ConfigCheck> {
  const named = flag ?? (process.env.LLMPROXY_CONFIG || undefined);
  const path = named ?? 'config.yaml';
  if (named === undefined && !existsSync(path)) return withoutFile();
  let checked;
  try {
    checked = await checkedConfig(path);
  } catch (cause) {
    const fix = named === undefined ? undefined : '`llmproxy config init` creates one.';
    const finding = failed('config', `${path} cannot be read: ${fileReason(cause)}`, fix);
    return { findings: [finding], config: undefined, plugins: NO_PLUGINS };
  }
  const { config, shape, plugins, problems } = checked;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const findings = problems
    // A missing key is reported with its provider.
    .filter(({ severity, message }) => severity === 'warning' && !/ is off: /.test(message))
    .map(({ line, message, hint, file }) =>
      warning('config', `${file ?? path}:${line}: ${message}`, hint === undefined ? undefined : `${hint}`),
    );
  // As written: there, a provider without its key is not yet disabled.
  if (config)
    return {
      findings: [valid(path, config), ...findings, ...unused(config), ...open(config)],
      config: shape,
      plugins,
    };
  const places = listed(errors.map(({ line }) => `line ${line}`));
  const broken = failed(
    'config',
    `${path} is not valid: ${counted(errors.length, 'error')}, ${places}`,
    `\`llmproxy config validate ${path}\` shows each with its line.`,
  );
  return { findings: [broken, ...findings], config: shape, plugins };
}

function withoutFile(): ConfigCheck {
  const { config, found } = discoverConfig(process.env);
  const names = listed(found.map(({ name }) => name));
  const message = `there is no config.yaml; by the environment: ${names}`;
  const onlyMock = found.every(({ type }) => type === 'mock');
  const fix = 'Set a key, for example OPENAI_API_KEY, or run `llmproxy config init`.';
  return {
    findings: [onlyMock ? warning('config', message, fix) : ok('config', message)],
    config,
    plugins: NO_PLUGINS,
  };
}

function valid(path: string, { providers }: Config): Finding {
  const on = providers.filter(({ enabled }) => enabled).length;
  const message = `${path} is valid: ${counted(providers.length, 'provider')}, ${on} enabled`;
  if (on > 0) return ok('config', message);
  return failed('config', message, 'Set the key of one of them, see below.');
}

/** Keys in the environment that the file does not use. */
function unused(config: Config): Finding[] {
  return ignoredKeys(config, process.env).map(({ variable, line }) =>
    warning('config', `${variable} is set, but no provider uses it`, `Add \`${line}\` to providers.`),
  );
}

/** `serve` refuses to start if others could reach it without a key. */
function open(config: Config): Finding[] {
  try {
    refuseOpenAccess(config, config.server);
    return [];
  } catch (thrown) {
    if (thrown instanceof ExitError) return [failed('config', thrown.message)];
    throw thrown;
  }
}
