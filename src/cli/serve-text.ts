import { statSync } from 'node:fs';
import type { Found } from '../config/discover.ts';
import type { Config } from '../config/schema.ts';
import type { ProviderStatus } from '../pipeline/status.ts';
import { table } from './table.ts';

/**
 * What is said once the proxy listens: which providers take part and why, and where requests are logged.
 * @param found how each provider was found, where no file was read
 * @param width columns of the terminal; `Infinity` when the output is no terminal
 */
export function serveText(
  providers: readonly ProviderStatus[],
  found: readonly Found[] | undefined,
  config: Pick<Config, 'logging'>,
  width: number,
): string[] {
  const { enabled, directory, content } = config.logging.requests;
  const keyless = found?.every(({ type }) => type === 'mock') === true;
  return [
    providerTable(providers, found, width),
    ...(keyless
      ? [
          "No provider's key is in the environment: set one, for example OPENAI_API_KEY, or run llmproxy config init",
        ]
      : []),
    ...(enabled && directoryProblem(config) === undefined
      ? [`Request log: ${directory}, content ${content}`]
      : []),
  ];
}

/** Why the request log cannot be written, where that is known from the start. */
export function directoryProblem({ logging }: Pick<Config, 'logging'>): string | undefined {
  const { enabled, directory } = logging.requests;
  if (!enabled || !statSync(directory, { throwIfNoEntry: false })?.isFile()) return undefined;
  return `Cannot use ${directory} as the directory of the request log (logging.requests.directory): it is a file`;
}

function providerTable(
  providers: readonly ProviderStatus[],
  found: readonly Found[] | undefined,
  width: number,
): string {
  const why = new Map(found?.map(({ name, reason }) => [name, reason]));
  const rows = providers.map(({ name, type, state, reasons }) => [
    name,
    type,
    state === 'disabled' ? 'off' : 'on',
    why.get(name) ?? (state === 'disabled' ? reasons.join('; ') : 'config file'),
  ]);
  return table(['PROVIDER', 'TYPE', 'STATE', 'WHY'], rows, width);
}
