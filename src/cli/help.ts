import type { ArgsDef, CommandDef, CommandMeta } from 'citty';
import { wrapped } from './wrap.ts';

const COLUMNS = 80;
/** Where the words about a flag begin. */
const LEFT = 29;

/** What is told of a command, with lines as people would type them. */
export interface HelpfulMeta extends CommandMeta {
  readonly examples?: readonly string[];
}

/** Flags that every command takes. */
export const EVERYWHERE: readonly string[] = [
  entry('      --env-file FILE', 'Add the variables of this file; what is set already stays'),
  entry('  -h, --help', 'Show this'),
];

/**
 * The help text of a command, within 80 columns.
 * @param names the command's own and its parents', outermost first
 */
export async function helpText(command: CommandDef, names: readonly string[]): Promise<string> {
  const args = Object.entries(await resolved<ArgsDef>(command.args, {}));
  const positional = args.filter(([, { type }]) => type === 'positional');
  const flags = args.filter(([, { type }]) => type !== 'positional');
  const commands = await commandsOf(command);
  const name = names.join(' ');
  const operands = positional.map(([each, definition]) =>
    definition.required === false ? ` [${each.toUpperCase()}]` : ` ${each.toUpperCase()}`,
  );
  const outermost = names.length === 1 ? [entry('  -v, --version', 'Show the version')] : [];
  return [
    wrapped(`${await descriptionOf(command)}.`, COLUMNS).join('\n'),
    `Usage: ${name}${commands.length > 0 ? ' COMMAND' : ''} [FLAGS]${operands.join('')}`,
    ...section('Commands:', commands),
    ...section(
      'Arguments:',
      positional.map(([each, definition]) => entry(`  ${each.toUpperCase()}`, described(definition))),
    ),
    ...section('Flags:', [
      ...flags.map(([each, definition]) => entry(flagText(each, definition), described(definition))),
      ...outermost,
      ...EVERYWHERE,
    ]),
    ...section('Examples:', await examplesOf(command)),
    ...(commands.length > 0 ? [`More: ${name} COMMAND --help`] : []),
  ].join('\n\n');
}

/** A name, and words about it beside it, within the width of a terminal. */
export function entry(name: string, text: string, left = LEFT): string {
  const lines = wrapped(text, COLUMNS - left - 1);
  const first = name.length < left ? `${name.padEnd(left)}${lines.shift() ?? ''}` : name;
  return [first, ...lines.map((line) => `${' '.repeat(left)}${line}`)].join('\n');
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [[title, ...entries].join('\n')];
}

async function commandsOf({ subCommands }: CommandDef): Promise<string[]> {
  const all = Object.entries(await resolved(subCommands, {}));
  const left = Math.max(0, ...all.map(([name]) => name.length)) + 4;
  return Promise.all(
    all.map(async ([name, command]) =>
      entry(`  ${name}`, await descriptionOf(await resolved<CommandDef>(command, {})), left),
    ),
  );
}

async function descriptionOf({ meta }: CommandDef): Promise<string> {
  return (await resolved(meta, {})).description ?? '';
}

async function examplesOf({ meta }: CommandDef): Promise<string[]> {
  const { examples = [] } = await resolved<HelpfulMeta>(meta, {});
  return examples.map((line) => `  ${line}`);
}

function flagText(
  name: string,
  { type, alias, valueHint }: ArgsDef[string] & { alias?: string | string[] },
): string {
  const [short] = [alias ?? []].flat();
  const value = type === 'boolean' ? '' : ` ${(valueHint ?? name).toUpperCase()}`;
  return `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value}`;
}

function described({ description = '', default: otherwise }: ArgsDef[string]): string {
  return otherwise === undefined ? description : `${description} (default: ${otherwise})`;
}

/** citty takes what it is given, a promise of it, or a function that makes either. */
async function resolved<T extends object>(
  given: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined,
  otherwise: T,
): Promise<T> {
  return (await (typeof given === 'function' ? given() : given)) ?? otherwise;
}
