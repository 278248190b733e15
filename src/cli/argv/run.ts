import { runCommand } from 'citty';
import { versionLine } from '../../version.ts';
import { ExitError } from '../exit.ts';
import { helpText } from '../help.ts';
import { print } from '../output.ts';
import { applyRuntimeSettings } from '../runtime-settings.ts';
import type { Command } from './command.ts';
import { commandOf, EVERYWHERE, subCommandOf, VERSION_FLAG } from './command.ts';
import { takeEnvFiles } from './env-file.ts';
import { unknownCommandHint } from './hints.ts';
import { parseArguments } from './parse.ts';
import { ROOT } from './tree.ts';

/** Passed as citty's `data` to commands that work on the tree of commands. */
export interface Invocation {
  readonly root: Command;
  /** The command with this path of names. @throws ExitError 2 if there is none */
  commandAt(names: readonly string[]): Promise<Command>;
}

/**
 * Runs the command that the arguments name.
 * @param given the arguments without the program's name
 * @throws ExitError for invalid arguments, and as the command does
 */
export async function runProgram(given: readonly string[]): Promise<void> {
  // First of all, since the variables affect everything that follows, including Bun itself.
  const args = takeEnvFiles(given);
  const root = await commandOf(ROOT, ['llmproxy']);
  if (isVersion(args)) return print(`${versionLine()}\n`);
  if (args[0] === 'serve' && !wantsHelp(args)) applyRuntimeSettings();
  const { command, rest } = await descend(root, args, root);
  if (wantsHelp(command.info.passesOn ? beforeArguments(rest) : rest) || !command.definition.run) {
    print(`${await helpText(command)}\n`);
    // The name of a group alone is incomplete.
    if (!command.definition.run && args.length > 0 && !wantsHelp(rest)) throw new ExitError(2);
    return;
  }
  const data: Invocation = { root, commandAt: (names) => commandAt(root, names) };
  const rawArgs = [...parseArguments(command, rest).plain];
  // The command is already determined: citty would mistake an argument for the name of a command.
  await runCommand({ ...command.definition, subCommands: undefined }, { rawArgs, data });
}

async function commandAt(root: Command, names: readonly string[]): Promise<Command> {
  const { command, rest } = await descend(root, names, root);
  if (rest.length === 0) return command;
  throw await unknown(rest[0]!, command, root);
}

/** The command that the arguments name, and the remaining arguments. */
async function descend(
  command: Command,
  args: readonly string[],
  root: Command,
): Promise<{ command: Command; rest: readonly string[] }> {
  const [name] = args;
  if (command.subCommands.length === 0 || name === undefined) return { command, rest: args };
  // A command that can be run itself takes flags and arguments of its own.
  if (command.definition.run && !command.subCommands.includes(name)) return { command, rest: args };
  if (name.startsWith('-')) {
    if (!wantsHelp(args)) throw misplaced(name, command);
    const found = await descend(command, withoutFlags(args), root);
    return { ...found, rest: ['--help'] };
  }
  // "llmproxy keys help create" is accepted in place of "llmproxy help keys create".
  if (name === 'help' && command !== root)
    return {
      command: await commandAt(root, [...command.names, ...args.slice(1)].slice(1)),
      rest: ['--help'],
    };
  const sub = await subCommandOf(command, name);
  if (!sub) throw await unknown(name, command, root);
  return descend(sub, args.slice(1), root);
}

function withoutFlags(args: readonly string[]): readonly string[] {
  return args.filter((arg) => !arg.startsWith('-'));
}

function misplaced(flag: string, { names }: Command): ExitError {
  const name = names.join(' ');
  const known = [...EVERYWHERE, VERSION_FLAG].map((each) => `--${each.name}`);
  return new ExitError(
    2,
    `Cannot use ${flag} before a command: write it after the command, as in \`${name} COMMAND ${flag}\`. Only ${known.join(', ')} may come before it`,
  );
}

async function unknown(name: string, parent: Command, root: Command): Promise<ExitError> {
  const path = [...parent.names, name].join(' ');
  const hint = await unknownCommandHint(name, parent, root);
  return new ExitError(2, `Cannot run \`${path}\`: unknown command${hint}`);
}

function isVersion([first]: readonly string[]): boolean {
  return first === '--version' || first === '-v' || first === '-V';
}

/** Whether help is requested; anything after `--` is not a flag. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h');
}

/** The flags of a command that passes on everything after its first argument. */
function beforeArguments(args: readonly string[]): readonly string[] {
  const end = args.findIndex((arg) => !arg.startsWith('-'));
  return args.slice(0, end < 0 ? undefined : end);
}
