/** What may be typed at each point of a command line, in the form that the scripts of all shells need. */
import type { Command, Flag } from '../argv/command.ts';
import { allCommands, EVERYWHERE, VERSION_FLAG } from '../argv/command.ts';

/** What completes a value. */
export type Completes = 'file' | 'directory' | 'nothing' | readonly string[];

export interface FlagChoice {
  readonly name: string;
  readonly short: string | undefined;
  readonly description: string;
  /** `undefined` for a switch. */
  readonly value: Completes | undefined;
}

export interface Place {
  /** The command's path, each name after a space, such as " keys create"; empty for the program itself. */
  readonly at: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly FlagChoice[];
  /** What completes a positional argument. */
  readonly argument: Completes;
}

/** All commands, outermost first. */
export async function placesIn(root: Command): Promise<readonly Place[]> {
  const all = await allCommands(root);
  return all.map((command): Place => {
    const below = all.filter(
      ({ names }) => names.length === command.names.length + 1 && startsWith(names, command.names),
    );
    const isRoot = command.names.length === 1;
    const isHelp = command.names.at(-1) === 'help';
    const flags = [...command.flags, ...(isRoot ? [VERSION_FLAG] : []), ...EVERYWHERE];
    return {
      at: command.names
        .slice(1)
        .map((name) => ` ${name}`)
        .join(''),
      commands: below.map(({ names, description }) => ({
        name: names.at(-1)!,
        description: brief(description),
      })),
      flags: flags.map(flagChoice),
      argument: isHelp ? root.subCommands : argumentOf(command),
    };
  });
}

/** Whether one list is a prefix of another. */
function startsWith(names: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((name, index) => names[index] === name);
}

function flagChoice({ name, short, value, values, description }: Flag): FlagChoice {
  const completes = value === undefined ? undefined : (values ?? completesBy(value));
  return { name, short, description: brief(description), value: completes };
}

function argumentOf({ operands }: Command): Completes {
  const [first] = operands;
  return first === undefined ? 'nothing' : (first.values ?? completesBy(first.name.toLowerCase()));
}

function completesBy(name: string): Completes {
  if (/^(?:files?|paths?|logs|inputs|manifest)$/.test(name)) return 'file';
  if (/^dir(?:ectory)?$/.test(name)) return 'directory';
  return 'nothing';
}

/** The first sentence without parentheses, which fits on a line. */
function brief(description: string): string {
  return description
    .replace(/\s*\([^)]*\)/g, '')
    .replace(/[.;:](?:\s.*)?$/s, '')
    .trim();
}
