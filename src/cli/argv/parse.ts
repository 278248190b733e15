/** The only parser of arguments. It rejects everything that a command does not accept. */
import { parseArgs } from 'node:util';
import { ExitError } from '../exit.ts';
import { shownSource } from '../../config/problems.ts';
import type { Command, Flag } from './command.ts';
import { EVERYWHERE } from './command.ts';
import { flagText, strayHint, unknownFlagHint } from './hints.ts';

/** The parsed arguments of a command. */
export interface Parsed {
  /** The values of each flag that was given; a switch is "true" or "false". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  /** All arguments in their order, in a notation that every parser reads alike. */
  readonly plain: readonly string[];
}

/** A token as `node:util` produces it. */
interface Token {
  readonly name: string;
  /** The flag as typed, such as -p for --port. */
  readonly rawName: string;
  readonly value?: string | undefined;
  /** Whether the value was written behind an equals sign. */
  readonly inlineValue?: boolean | undefined;
}

/** Parses the arguments after the name of a command. @throws ExitError 2 with a hint for what it does not accept */
export function parseArguments(command: Command, args: readonly string[]): Parsed {
  const { own, passedOn } = cut(command, args);
  const known = [...command.flags, ...EVERYWHERE];
  const { tokens } = parseArgs({
    args: [...own],
    options: Object.fromEntries(known.map(optionOf)),
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const flags = new Map<string, string[]>();
  const operands: string[] = [];
  const plain: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') plain.push(token.value);
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind === 'option-terminator') plain.push('--');
    if (token.kind !== 'option') continue;
    const { flag, negated } = found(token, command, own[token.index] ?? '');
    const value = flag.value === undefined ? switchValue(token, negated) : textValue(token, flag, negated);
    const before = flags.get(flag.name);
    if (before && !flag.repeatable)
      throw refused(`Cannot use ${flagText(flag)} twice with \`${nameOf(command)}\`: give it once`);
    flags.set(flag.name, [...(before ?? []), value]);
    plain.push(`--${flag.name}=${value}`);
  }
  operands.push(...passedOn);
  if (passedOn.length > 0) plain.push('--', ...passedOn);
  refuseOperands(command, operands);
  return { flags, operands, plain };
}

/** The values of a repeatable flag among positional arguments. */
export function repeated(args: readonly string[], name: string): string[] {
  const end = args.indexOf('--');
  const named = args.slice(0, end < 0 ? undefined : end).filter((arg) => arg.startsWith(`--${name}=`));
  return named.map((arg) => arg.slice(name.length + 3));
}

/** Separates a command's own arguments from those of the program that it runs. */
function cut({ info, flags }: Command, args: readonly string[]) {
  if (!info.passesOn) return { own: args, passedOn: [] };
  let at = 0;
  while (at < args.length && args[at]!.startsWith('-') && args[at] !== '--') {
    const name = args[at]!.replace(/^--?/, '');
    const flag = [...flags, ...EVERYWHERE].find((each) => each.name === name || each.short === name);
    at += flag?.value === undefined ? 1 : 2;
  }
  // The first positional argument ends our own flags.
  const left = args.slice(at);
  const mark = left.slice(0, 2).indexOf('--');
  return { own: args.slice(0, at), passedOn: mark < 0 ? left : left.toSpliced(mark, 1) };
}

function optionOf({ name, short, value }: Flag) {
  const type = value === undefined ? ('boolean' as const) : ('string' as const);
  return [name, { type, ...(short === undefined ? {} : { short }) }] as const;
}

function found({ name, rawName }: Token, command: Command, written: string) {
  const known = [...command.flags, ...EVERYWHERE];
  const exact = known.find((each) => each.name === name);
  if (exact) return { flag: exact, negated: false };
  const negated = rawName.startsWith('--no-') ? known.find((each) => each.name === name.slice(3)) : undefined;
  if (negated) return { flag: negated, negated: true };
  // "-port 80" is tokenised as "-p -o -r -t".
  const shown = /^-[a-z][\w-]+/i.exec(written)?.[0] ?? rawName;
  throw refused(
    `Cannot use ${shown} with \`${nameOf(command)}\`: unknown flag${unknownFlagHint(shown, command, known)}`,
  );
}

function switchValue({ rawName, value }: Token, negated: boolean): string {
  if (value === undefined) return String(!negated);
  if (/^(?:1|true|yes|on)$/i.test(value) && !negated) return 'true';
  if (/^(?:0|false|no|off)$/i.test(value) && !negated) return 'false';
  const reason = negated ? 'it takes no value' : 'it is a switch, expected true or false';
  throw refused(`Cannot use ${rawName}=${value}: ${reason}`);
}

function textValue({ rawName, value, inlineValue }: Token, flag: Flag, negated: boolean): string {
  if (negated) throw refused(`Cannot use ${rawName}: only switches can be turned off`);
  const example = `${rawName} ${flag.value!.toUpperCase()}`;
  if (value === undefined) throw refused(`Cannot use ${rawName}: its value is missing, as in ${example}`);
  // "--config --json" has a missing value, rather than a file of that name; "--config=--json" would have one.
  if (!inlineValue && /^--?[a-z]/i.test(value) && value !== '-')
    throw refused(
      `Cannot use ${rawName}: its value is missing, as in ${example}. Write ${rawName}=${value} if that is the value`,
    );
  return value;
}

function refuseOperands(command: Command, given: readonly string[]): void {
  const { operands } = command;
  const missing = operands.find(({ required }, index) => required && given[index] === undefined);
  if (missing)
    throw refused(
      `Cannot run \`${nameOf(command)}\`: ${missing.name} is missing. Usage: ${usageOf(command)}`,
    );
  const surplus = operands.some(({ variadic }) => variadic) ? undefined : given[operands.length];
  if (surplus === undefined) return;
  throw refused(
    `Cannot use ${surplus === '' ? 'an empty argument' : shownSource(surplus)} with \`${nameOf(command)}\`: ${strayHint(surplus, command)}`,
  );
}

/** The usage line of a command. */
export function usageOf({ names, operands, subCommands, definition }: Command): string {
  const shown = operands.map(({ name, required, variadic }) => {
    const dots = variadic ? '...' : '';
    return required ? ` ${name}${dots}` : ` [${name}]${dots}`;
  });
  const command = subCommands.length === 0 ? '' : definition.run ? ' [COMMAND]' : ' COMMAND';
  return `${names.join(' ')}${command} [FLAGS]${shown.join('')}`;
}

function nameOf({ names }: Command): string {
  return names.join(' ');
}

function refused(message: string): ExitError {
  return new ExitError(2, message);
}
