import { defineCommand } from 'citty';
import { listed } from '../../config/listed.ts';
import { about } from '../argv/command.ts';
import { ExitError } from '../exit.ts';
import { print, printStderr } from '../output.ts';
import { CONFIG_FLAG, loadSource } from '../source.ts';
import type { OwnProxy } from './own-proxy.ts';
import { executableOf, programNamed, runWith } from './program.ts';
import type { Launch, Program, Reach } from './programs.ts';
import { KEY_VARIABLE, PROGRAMS } from './programs.ts';
import {
  baseOfConfig,
  baseOfUrl,
  configFileHere,
  isProxyAt,
  keyFor,
  modelsAt,
  servesModel,
} from './reach.ts';

const NAMES = PROGRAMS.map(({ name }) => name);

export default defineCommand({
  meta: about({
    name: 'run',
    description:
      "Run a program such as Claude Code through the proxy: the one that is running, or a temporary one on a free port. The program's files are not changed",
    examples: [
      'llmproxy run claude',
      'llmproxy run --model gpt-4o claude -p "What is in this folder?"',
      'llmproxy run codex -- exec "Fix the test"',
      'llmproxy run --dry-run codex',
    ],
    passesOn: true,
  }),
  args: {
    program: {
      type: 'positional',
      required: true,
      description: `${NAMES.slice(0, -1).join(', ')} or ${NAMES.at(-1)}`,
      values: NAMES,
    },
    arguments: {
      type: 'positional',
      required: false,
      variadic: true,
      description: 'Arguments for the program itself, optionally after --',
    },
    model: { type: 'string', valueHint: 'name', description: 'The model that the program should use' },
    url: { type: 'string', description: 'Address of a proxy running elsewhere' },
    config: CONFIG_FLAG,
    'dry-run': {
      type: 'boolean',
      description: 'Show the command and environment, secrets masked, without running it',
    },
    print: { type: 'boolean', description: 'Same as --dry-run' },
  },
  async run({ args }) {
    const [command = '', ...own] = args._;
    if (args['dry-run'] || args.print) return await show(command, own, args);
    // A program that is not installed needs no proxy.
    const program = programNamed(command, HERE);
    const path = executableOf(command, program);
    const { base, key, proxy } = await found(args);
    let code: number;
    try {
      const models = await modelsAt(base, key);
      const reach = { base, key, model: args.model, models };
      await refuseUnserved(program, reach);
      const launch = program.launch(reach);
      code = await runWith(path, [...launch.args, ...own], launch);
    } finally {
      await proxy?.end();
    }
    for (const problem of proxy?.problems ?? []) printStderr(`llmproxy: ${problem}\n`);
    if (code !== 0) throw new ExitError(code, '');
  },
});

/** The address of a proxy unless the configuration has another one. */
const HERE = 'http://127.0.0.1:8000';

interface Flags {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
  readonly model?: string | undefined;
}

interface Found {
  readonly base: string;
  readonly key: string;
  /** The proxy that was started here. */
  readonly proxy: OwnProxy | undefined;
}

/** The running proxy, or one that is started. */
async function found({ url, config: flag }: Flags): Promise<Found> {
  if (url !== undefined) {
    const base = baseOfUrl(url);
    return { base, key: keyFor(undefined), proxy: undefined };
  }
  const source = await loadSource(configFileHere(flag) ?? null);
  const key = keyFor(source.config);
  const base = baseOfConfig(source.config);
  if (base !== undefined && (await isProxyAt(base))) return { base, key, proxy: undefined };
  const { beginProxy } = await import('./own-proxy.ts');
  const proxy = await beginProxy(source);
  return { base: proxy.base, key, proxy };
}

/** Checks the model first: the program would only report an error in its own words. */
async function refuseUnserved(
  { name, title, asksFor, offersChoice }: Program,
  { base, key, model, models }: Reach,
): Promise<void> {
  const wanted = model ?? asksFor;
  if (wanted !== undefined && (await servesModel(base, key, wanted))) return;
  if (model === undefined && offersChoice && models.length > 0) return;
  const known = models.length === 0 ? 'It lists no models.' : `It lists ${listed(models)}.`;
  const example = `llmproxy run --model ${models[0] ?? 'NAME'} ${name}`;
  if (model !== undefined)
    throw new ExitError(1, `Cannot run ${name}: no provider serves ${model}. ${known}`);
  if (asksFor === undefined)
    throw new ExitError(1, `Cannot run ${name} without a model: name one, as in \`${example}\`. ${known}`);
  const family = asksFor.replace(/-.*/, '-*');
  throw new ExitError(
    1,
    `Cannot run ${name}: no provider serves ${asksFor}, which ${title} requests. Name a model, as in \`${example}\`, or map them in the configuration: \`models: { "${family}": ... }\`. ${known}`,
  );
}

/** Prints how the program would be run. */
async function show(
  command: string,
  own: readonly string[],
  { url, config: flag, model }: Flags,
): Promise<void> {
  const source = url === undefined ? await loadSource(configFileHere(flag) ?? null) : undefined;
  const base = url === undefined ? (baseOfConfig(source!.config) ?? HERE) : baseOfUrl(url);
  const program = programNamed(command, base);
  const there = await isProxyAt(base);
  const given = process.env[KEY_VARIABLE];
  const key = given ? '[masked]' : 'unused';
  const launch = program.launch({
    base,
    key,
    model: model ?? (program.asksFor === undefined ? 'NAME' : undefined),
    models: [],
  });
  print(
    `${there ? '' : `# no proxy listens at ${base}: one on a free port would be started, and stopped with the program\n`}${shown(launch, command, own)}`,
  );
}

function shown({ env, args }: Launch, command: string, own: readonly string[]): string {
  const lines = Object.entries(env).map(([name, value]) =>
    value === undefined ? `unset ${name}\n` : `export ${name}=${quoted(value)}\n`,
  );
  return `${lines.join('')}${[command, ...args, ...own].map(quoted).join(' ')}\n`;
}

/** Quoted for a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
