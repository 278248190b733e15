#!/usr/bin/env bun
import { parseArgs, runCommand } from 'citty';
import type { ArgsDef, CommandDef } from 'citty';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ExitError } from './cli/exit.ts';
import { print } from './cli/output.ts';
import { nearest } from './config/suggest.ts';
import { fileReason } from './logs/names.ts';
import { versionLine } from './version.ts';

const COMMANDS: Readonly<Record<string, () => Promise<CommandDef>>> = {
  serve: async () => (await import('./cli/serve.ts')).default as CommandDef,
  health: async () => (await import('./cli/health.ts')).default as CommandDef,
  config: async () => (await import('./cli/config.ts')).default as CommandDef,
  keys: async () => (await import('./cli/keys/keys.ts')).default as CommandDef,
  plugin: async () => (await import('./cli/plugin/plugin.ts')).default as CommandDef,
  providers: async () => (await import('./cli/providers.ts')).default as CommandDef,
  explain: async () => (await import('./cli/explain.ts')).default as CommandDef,
  usage: async () => (await import('./cli/usage.ts')).default as CommandDef,
  export: async () => (await import('./cli/export.ts')).default as CommandDef,
  licenses: async () => (await import('./cli/licenses.ts')).default as CommandDef,
};

const main: CommandDef = {
  meta: { name: 'llmproxy', description: 'One binary between your programs and every LLM provider' },
  subCommands: COMMANDS,
};

/** Bun allows 256 requests at once unless told otherwise before it starts, and streams count until they end. */
function liftRequestLimit(): void {
  if (process.env.BUN_CONFIG_MAX_HTTP_REQUESTS !== undefined || process.execve === undefined) return;
  if (process.platform === 'win32') return;
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' };
  const compiled = Bun.main.startsWith('/$bunfs/');
  const args = compiled ? process.argv.slice(2) : process.argv.slice(1);
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...args], env);
}

/**
 * `--env-file FILE`, at any command: the only way a file adds to the environment. What is set already stays.
 * @returns the other arguments
 */
function takeEnvFile(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => arg === '--env-file' || arg.startsWith('--env-file='));
  if (at < 0) return args;
  const path = args[at]!.includes('=') ? args[at]!.slice('--env-file='.length) : args[at + 1];
  if (path === undefined) throw new ExitError(2, 'Cannot use --env-file: give the file');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
  return [...args.slice(0, at), ...args.slice(at + (args[at]!.includes('=') ? 1 : 2))];
}

/** The command that the arguments lead to, with its parents' names, and the arguments left for it. */
async function descend(
  command: CommandDef,
  args: readonly string[],
  names: readonly string[],
): Promise<Found> {
  const subs = command.subCommands as
    Readonly<Record<string, CommandDef | (() => Promise<CommandDef>)>> | undefined;
  const at = args.findIndex((arg) => !arg.startsWith('-'));
  const name = at < 0 ? undefined : args[at]!;
  if (!subs || name === undefined) return { command, args, names };
  const sub = Object.hasOwn(subs, name) ? subs[name] : undefined;
  if (!sub) {
    const [close] = nearest(name, Object.keys(subs), 1);
    const hint = close ? `, did you mean \`${close}\`?` : `: expected ${Object.keys(subs).join(', ')}`;
    throw new ExitError(2, `Cannot run \`${[...names, name].join(' ')}\`: unknown command${hint}`);
  }
  const resolved = typeof sub === 'function' ? await sub() : sub;
  return descend(resolved, [...args.slice(0, at), ...args.slice(at + 1)], [...names, name]);
}

interface Found {
  readonly command: CommandDef;
  readonly args: readonly string[];
  readonly names: readonly string[];
}

/** citty takes any flag; a flag nobody knows is a mistake worth a word. */
function refuseUnknownFlags({ command, args, names }: Found): void {
  const defined = (command.args ?? {}) as ArgsDef;
  const known = Object.entries(defined).flatMap(([name, definition]) => {
    const aliases = 'alias' in definition ? [definition.alias ?? []].flat() : [];
    return [name, `no-${name}`, ...aliases];
  });
  for (const arg of args) {
    if (arg === '--') return;
    const flag = /^--?([A-Za-z][\w-]*)/.exec(arg)?.[1];
    if (flag === undefined || known.includes(flag)) continue;
    const [close] = nearest(flag, known, 1);
    const hint = close ? `, did you mean --${close}?` : '; see --help';
    throw new ExitError(2, `Cannot use --${flag} with \`${names.join(' ')}\`: unknown flag${hint}`);
  }
}

/** citty takes any number of arguments; one that the command has no use for is a mistake too. */
function refuseSurplusArguments({ command, args, names }: Found): void {
  // They take any number of inputs.
  if (names[1] === 'export' || names[1] === 'usage' || names.join(' ') === 'llmproxy plugin check') return;
  const defined = (command.args ?? {}) as ArgsDef;
  const expected = Object.values(defined).filter(({ type }) => type === 'positional').length;
  const surplus = parseArgs([...args], defined)._[expected];
  if (surplus === undefined) return;
  throw new ExitError(2, `Cannot use ${surplus} with \`${names.join(' ')}\`: unknown argument; see --help`);
}

async function run(given: readonly string[]): Promise<void> {
  const args = takeEnvFile(given);
  if (args[0] === '--version' || args[0] === '-v') return void process.stdout.write(`${versionLine()}\n`);
  if (args[0] === 'serve' && !args.includes('--help')) liftRequestLimit();
  const found = await descend(main, args, ['llmproxy']);
  if (args.includes('--help') || args.includes('-h') || !found.command.run) {
    if (found.names[1] === 'export') {
      const { exportHelp } = await import('./cli/export-help.ts');
      return print(`${exportHelp()}\n`);
    }
    const { helpText } = await import('./cli/help.ts');
    print(`${await helpText(found.command, found.names)}\n`);
    if (!found.command.run && args.length > 0 && !args.includes('--help') && !args.includes('-h'))
      throw new ExitError(2);
    return;
  }
  refuseUnknownFlags(found);
  refuseSurplusArguments(found);
  await runCommand(found.command, { rawArgs: [...found.args] });
}

try {
  await run(process.argv.slice(2));
} catch (thrown) {
  const known = thrown instanceof ExitError ? thrown : undefined;
  const usage = (thrown as Error).name === 'CLIError';
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message !== '') process.stderr.write(`${known ? message : `Error: ${message}`}\n`);
  process.exit(known?.code ?? (usage ? 2 : 1));
}
