/** Descriptions of commands beyond citty's own, and the tree of commands as data. */
import type { ArgsDef, CommandDef, CommandMeta } from 'citty';

/** The description of a command. */
export interface CommandInfo extends CommandMeta {
  /** Example command lines. */
  readonly examples?: readonly string[];
  /** A help text of its own, with flags in groups. */
  readonly help?: () => Promise<string>;
  /** Whether everything after the first argument belongs to another program and is passed on unchanged. */
  readonly passesOn?: true;
}

/** Adds the full type to a command's description. */
export function about(info: CommandInfo): CommandInfo {
  return info;
}

/** The description of an argument beyond citty's own. */
export interface ArgumentInfo {
  /** Whether the flag may be repeated. */
  readonly repeatable?: true;
  /** Whether the argument takes all remaining arguments. */
  readonly variadic?: true;
  /** The possible values, for completion. */
  readonly values?: readonly string[];
}

type Definition = ArgsDef[string] & ArgumentInfo & { readonly alias?: string | readonly string[] };

/** A flag as used by parsing, help and completion. */
export interface Flag extends Pick<ArgumentInfo, 'values'> {
  readonly name: string;
  readonly short: string | undefined;
  /** The name of its value; `undefined` for a switch. */
  readonly value: string | undefined;
  readonly repeatable: boolean;
  readonly description: string;
}

/** A positional argument. */
export interface Operand extends Pick<ArgumentInfo, 'values'> {
  /** Its name in capitals. */
  readonly name: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly description: string;
}

/** A command as data. */
export interface Command {
  /** Its parents' names and its own, outermost first. */
  readonly names: readonly string[];
  readonly description: string;
  readonly info: CommandInfo;
  /** Its own flags; every command also takes those in `EVERYWHERE`. */
  readonly flags: readonly Flag[];
  readonly operands: readonly Operand[];
  readonly subCommands: readonly string[];
  readonly definition: CommandDef;
}

/** The file of environment variables, which may be given before or after every command. */
export const ENV_FILE: Flag = {
  name: 'env-file',
  short: undefined,
  value: 'file',
  repeatable: true,
  description: 'Read environment variables from this file; variables already set are kept',
};

const HELP: Flag = {
  name: 'help',
  short: 'h',
  value: undefined,
  repeatable: true,
  description: 'Show this help',
};

export const VERSION_FLAG: Flag = {
  name: 'version',
  short: 'v',
  value: undefined,
  repeatable: true,
  description: 'Show the version',
};

/** Flags that every command takes. */
export const EVERYWHERE: readonly Flag[] = [ENV_FILE, HELP];

/** Converts a command to data. @param names its parents' names and its own, outermost first */
export async function commandOf(definition: CommandDef, names: readonly string[]): Promise<Command> {
  const info = (await resolved(definition.meta, {})) as CommandInfo;
  const args = Object.entries(await resolved<ArgsDef>(definition.args, {})) as [string, Definition][];
  return {
    names,
    description: info.description ?? '',
    info,
    flags: args.flatMap(([name, each]) => (each.type === 'positional' ? [] : [flagOf(name, each)])),
    operands: args.flatMap(([name, each]) => (each.type === 'positional' ? [operandOf(name, each)] : [])),
    subCommands: Object.keys(await resolved(definition.subCommands, {})),
    definition,
  };
}

/** A subcommand; `undefined` if there is none of that name. */
export async function subCommandOf(parent: Command, name: string): Promise<Command | undefined> {
  if (!parent.subCommands.includes(name)) return undefined;
  const all = await resolved<Readonly<Record<string, unknown>>>(parent.definition.subCommands, {});
  return await commandOf(await resolved<CommandDef>(all[name] as CommandDef, {}), [...parent.names, name]);
}

/** A command and its subcommands, in the order of the tree. */
export async function allCommands(command: Command): Promise<readonly Command[]> {
  const below = command.subCommands.map(async (name) => allCommands((await subCommandOf(command, name))!));
  return [command, ...(await Promise.all(below)).flat()];
}

function flagOf(name: string, definition: Definition): Flag {
  const { type, alias, valueHint, values, repeatable = false } = definition;
  const [short] = [alias ?? []].flat() as readonly string[];
  const value = type === 'boolean' ? undefined : (valueHint ?? name);
  return { name, short, value, values, repeatable, description: described(definition) };
}

function operandOf(name: string, definition: Definition): Operand {
  const { required, variadic = false, values, valueHint } = definition;
  const isOptional = required === false || definition.default !== undefined;
  return {
    name: (valueHint ?? name).toUpperCase(),
    required: !isOptional,
    variadic,
    values,
    description: described(definition),
  };
}

function described({ description = '', default: otherwise }: Definition): string {
  return otherwise === undefined ? description : `${description} (default: ${String(otherwise)})`;
}

/** citty accepts a value, a promise of it, or a function that returns either. */
async function resolved<T extends object>(
  given: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined,
  otherwise: T,
): Promise<T> {
  return (await (typeof given === 'function' ? given() : given)) ?? otherwise;
}
