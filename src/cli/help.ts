import type { Command, Flag } from './argv/command.ts';
import { EVERYWHERE, subCommandOf, VERSION_FLAG } from './argv/command.ts';
import { usageOf } from './argv/parse.ts';
import { fitted, wrapped } from './wrap.ts';

/** Wider lines are hard to read. */
const MOST_COLUMNS = 80;
const LEAST_COLUMNS = 40;
/** The column in which descriptions of flags begin on a screen that is wide enough. */
const LEFT = 29;
/** In narrow terminals, descriptions are on the lines below. */
const NARROW = 64;
const NARROW_LEFT = 8;

/** The width of help texts: 80 columns, or that of a narrower terminal. */
export function helpColumns(
  { isTTY, columns }: { isTTY?: boolean; columns?: number } = process.stdout,
): number {
  const width = isTTY === true && columns ? columns : MOST_COLUMNS;
  return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, width));
}

/** The flags of every command, as lines of help. */
export function flagsEverywhere(): readonly string[] {
  return EVERYWHERE.map((flag) => flagEntry(flag));
}

/** The help text of a command. */
export async function helpText(command: Command, columns = helpColumns()): Promise<string> {
  const { info, description, flags, operands, names } = command;
  if (info.help) return fitted(await info.help(), columns);
  const outermost = names.length === 1 ? [VERSION_FLAG] : [];
  const commands = await subCommands(command, columns);
  return [
    wrapped(`${description}.`, columns).join('\n'),
    wrappedBehind('Usage: ', usageOf(command), columns),
    ...section('Commands:', commands),
    ...section(
      'Arguments:',
      operands.map((operand) => entry(`  ${operand.name}`, operand.description, { columns })),
    ),
    ...section(
      'Flags:',
      [...flags, ...outermost, ...EVERYWHERE].map((flag) => flagEntry(flag, columns)),
    ),
    ...section(
      'Examples:',
      (info.examples ?? []).flatMap((line) => example(line, columns)),
    ),
    ...(commands.length > 0 ? [`More: ${names.join(' ')} COMMAND --help`] : []),
  ].join('\n\n');
}

/** A name with its description beside it, within the width of a terminal. */
export function entry(
  name: string,
  text: string,
  { left = LEFT, columns = helpColumns() }: { left?: number; columns?: number } = {},
): string {
  const narrow = columns < NARROW && left > columns / 3;
  const indent = narrow ? NARROW_LEFT : left;
  const lines = wrapped(text, columns - indent);
  const beside = !narrow && name.length < left - 1;
  const first = beside ? `${name.padEnd(left)}${lines.shift() ?? ''}` : name;
  return [first, ...lines.map((line) => `${' '.repeat(indent)}${line}`)].join('\n');
}

/** A flag as listed, such as "-o, --output PATH". */
export function flagLine({ name, short, value }: Flag): string {
  return `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value.toUpperCase()}`}`;
}

function flagEntry(flag: Flag, columns?: number): string {
  return entry(flagLine(flag), flag.description, columns === undefined ? {} : { columns });
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [[title, ...entries].join('\n')];
}

async function subCommands(command: Command, columns: number): Promise<string[]> {
  const left = Math.max(0, ...command.subCommands.map((name) => name.length)) + 4;
  return await Promise.all(
    command.subCommands.map(async (name) => {
      const { description } = (await subCommandOf(command, name))!;
      return entry(`  ${name}`, description, { left, columns });
    }),
  );
}

/** A command line; if it is too long, it is continued with the shell's own backslash. */
function example(line: string, columns: number): string[] {
  const lines = wrapped(line, columns - 6);
  return lines.map((each, index) => {
    const goesOn = index < lines.length - 1 ? ' \\' : '';
    return `${index === 0 ? '  ' : '    '}${each}${goesOn}`;
  });
}

function wrappedBehind(lead: string, text: string, columns: number): string {
  const lines = wrapped(text, columns - lead.length);
  return lines.map((line, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${line}`).join('\n');
}
