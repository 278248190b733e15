/** What commands say of themselves beyond what citty asks for, and the tree of them as data. */
import type { ArgsDef, CommandDef, CommandMeta } from 'citty';

/** What is told of a command. */
export interface CommandInfo extends CommandMeta {
  /** Lines as people would type them. */
  readonly examples?: readonly string[];
  /** A help text of its own, with flags in groups. */
  readonly help?: () => Promise<string>;
  /** What stands behind its first argument is another program's: it is passed on as it is. */
  readonly passesOn?: true;
}

/** What a command says of itself, with the type that knows all of it. */
export function about(info: CommandInfo): CommandInfo {
  return info;
}

/** What an argument says of itself beyond what citty asks for. */
export interface ArgumentInfo {
  /** A flag that may be given several times. */
  readonly repeatable?: true;
  /** An argument that takes all that are left. */
  readonly variadic?: true;
  /** The values that there are, for completion. */
  readonly values?: readonly string[];
}

type Definition = ArgsDef[string] & ArgumentInfo & { readonly alias?: string | readonly string[] };

/** A flag, as parsing, help and completion see it. */
export interface Flag extends Pick<ArgumentInfo, 'values'> {
  readonly name: string;
  readonly short: string | undefined;
  /** What its value is called; `undefined` for a switch, which has none. */
  readonly value: string | undefined;
  readonly repeatable: boolean;
  readonly description: string;
}

/** An argument that is no flag. */
export interface Operand extends Pick<ArgumentInfo, 'values'> {
  /** In capitals. */
  readonly name: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly description: string;
}

/** A command as data. */
export interface Command {
  /** Its own and its parents' names, outermost first. */
  readonly names: readonly string[];
  readonly description: string;
  readonly info: CommandInfo;
  /** Those of its own; every command takes those of `EVERYWHERE` besides. */
  readonly flags: readonly Flag[];
  readonly operands: readonly Operand[];
  readonly subCommands: readonly string[];
  readonly definition: CommandDef;
}

/** The file that adds to the environment, at every command and before it. */
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

/** A command as data. @param names its own and its parents', outermost first */
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

/** A command below another; `undefined` where there is none of that name. */
export async function subCommandOf(parent: Command, name: string): Promise<Command | undefined> {
  if (!parent.subCommands.includes(name)) return undefined;
  const all = await resolved<Readonly<Record<string, unknown>>>(parent.definition.subCommands, {});
  return await commandOf(await resolved<CommandDef>(all[name] as CommandDef, {}), [...parent.names, name]);
}

/** A command and all below it, in the order of the tree. */
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

/** citty takes what it is given, a promise of it, or a function that makes either. */
async function resolved<T extends object>(
  given: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined,
  otherwise: T,
): Promise<T> {
  return (await (typeof given === 'function' ? given() : given)) ?? otherwise;
}
