import type { Found } from '../config/discover.ts';
import type { IgnoredKey } from '../config/ignored-keys.ts';
import type { Config } from '../config/schema.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { Paint } from './lines/paint.ts';
import { listed } from '../config/listed.ts';
import { whyUnwritable } from './directories.ts';
import { paintOf } from './lines/paint.ts';
import { table } from './table.ts';
import { wrapped } from './wrap.ts';

/** The facts shown once the proxy listens. */
export interface Started {
  /** Its address: http://127.0.0.1:8000, or unix:/run/llmproxy.sock. */
  readonly url: string;
  readonly providers: readonly ProviderStatus[];
  /** How each provider was found, if no file was read. */
  readonly found: readonly Found[] | undefined;
  /** The file that was read. */
  readonly file: string | undefined;
  /** The number of models that clients can choose by name. */
  readonly models: number;
  readonly workers: number;
  /** Whether the web page is served. */
  readonly page: boolean;
  readonly config: Pick<Config, 'logging' | 'auth' | 'server'>;
}

/** The style of the output. */
export interface Screen {
  /** The width of the terminal; `Infinity` when the output is not a terminal. */
  readonly width: number;
  readonly color: boolean;
}

/**
 * The start-up message: which providers are enabled and why, how many models they list, where everything is, and lines
 * to paste. In a terminal it is a screen whose parts these are; otherwise each is a line.
 */
export function serveText(started: Started, { width, color }: Screen): string[] {
  const { providers, found } = started;
  const keyless = found?.every(({ type }) => type === 'mock') === true;
  const hint =
    "No provider's key is in the environment: set one, for example OPENAI_API_KEY, or run llmproxy config init";
  const paint = paintOf(color);
  const shown = providerTable(providers, found, width);
  const facts = factsOf(started);
  if (width === Infinity)
    return [shown, ...(keyless ? [hint] : []), ...facts.map(([name, text]) => `${name}: ${text}`)];
  const pasted = pastedOf(started);
  return [
    `\n${colored(shown, paint)}\n`,
    ...(keyless ? [`${wrapped(hint, width).join('\n')}\n`] : []),
    ...block(facts, width, paint),
    '',
    // A line that is to be pasted must not be wrapped.
    ...block(pasted, Infinity, paint),
    '',
  ];
}

/** Keys in the environment that the file does not use, and how to use them. */
export function ignoredText(ignored: readonly IgnoredKey[], file: string, width: number): string | undefined {
  const [first] = ignored;
  if (!first) return undefined;
  const names = listed(ignored.map(({ variable }) => variable));
  const are = ignored.length === 1 ? 'is' : 'are';
  const text = `${names} ${are} set, but no provider in ${file} uses ${ignored.length === 1 ? 'it' : 'them'}. Add to \`providers\`:`;
  // A warning begins with a prefix.
  const wrappedText = width === Infinity ? [text] : wrapped(text, width, 'warning: '.length);
  const most = 5;
  const lines = ignored.slice(0, most).map(({ line }) => `  ${line}`);
  return [...wrappedText, ...lines].join('\n');
}

/** Why the request log cannot be written, if that is known at the start. */
export function directoryProblem({ logging }: Pick<Config, 'logging'>): string | undefined {
  const { enabled, directory } = logging.requests;
  const reason = enabled ? whyUnwritable(directory) : undefined;
  if (reason === undefined) return undefined;
  return `Cannot use ${directory} as the directory of the request log (logging.requests.directory): ${reason}`;
}

type Rows = readonly (readonly [name: string, text: string])[];

function factsOf({ url, providers, models, workers, page, config }: Started): Rows {
  const { enabled, directory, content } = config.logging.requests;
  const base = baseOf(url, config);
  return [
    ['Models', modelsText(providers, models)],
    ...(workers > 1 ? [['Workers', `${workers} share the port`] as const] : []),
    ...(page && base !== undefined ? [['Page', `${base}/`] as const] : []),
    ...(enabled && directoryProblem(config) === undefined
      ? [['Request log', `${directory}, content ${content}`] as const]
      : []),
  ];
}

function modelsText(providers: readonly ProviderStatus[], models: number): string {
  const waiting = providers.filter((provider) => provider.models && provider.models.at === null);
  const known = `${models} by name at GET /v1/models`;
  if (waiting.length === 0) return known;
  return `${known}, plus the models of ${listed(waiting.map(({ name }) => name))} once ${waiting.length === 1 ? 'its list is' : 'their lists are'} fetched`;
}

/** One line each for the most common clients. */
function pastedOf({ url, file, config }: Started): Rows {
  const base = baseOf(url, config);
  if (base === undefined) {
    const socket = url.replace(/^unix:/, '');
    return [['curl', `curl --unix-socket ${socket} http://localhost/v1/models`]];
  }
  const keyed = config.auth !== undefined && config.auth !== 'none';
  const named = file === undefined || file === 'config.yaml' ? '' : ` --config ${file}`;
  const key = keyed ? 'LLMPROXY_KEY=YOUR_KEY ' : '';
  return [
    ['OpenAI SDKs', `OPENAI_BASE_URL=${base}/v1 OPENAI_API_KEY=${keyed ? 'YOUR_KEY' : 'unused'}`],
    ['Claude Code', `${key}llmproxy run claude${named}`],
    ['Codex', `${key}llmproxy run codex${named}`],
  ];
}

/** The address for HTTP clients on this machine; `undefined` for a unix socket. */
function baseOf(url: string, { server }: Pick<Config, 'server'>): string | undefined {
  if (url.startsWith('unix:')) return undefined;
  return url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '//127.0.0.1') + server.base_path;
}

/** Names in one column, their values in the other. */
function block(rows: Rows, width: number, { bold }: Paint): string[] {
  const column = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => {
    const [first = '', ...more] = wrapped(text, Math.max(20, width - column));
    const indented = more.map((line) => `\n${' '.repeat(column)}${line}`);
    return `${bold(name)}${' '.repeat(column - name.length)}${first}${indented.join('')}`;
  });
}

function colored(rows: string, { green, dim, bold }: Paint): string {
  const [header = '', ...lines] = rows.split('\n');
  const painted = lines.map((line) =>
    / off( |$)/.test(line)
      ? dim(line)
      : line.replace(/ on( |$)/, (_, end: string) => ` ${green('on')}${end}`),
  );
  return [bold(header), ...painted].join('\n');
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
