/** What is wrong with files, for people. */
import type { Problem } from '../config/problems.ts';
import { useColor } from './output.ts';
import { widthOf, wrapped } from './wrap.ts';

/** Columns of a line that are shown: files on a single line are common in JSON. */
const CLIP = 160;
/** What stands left of a line: its number and a bar. */
const MASKED = '[masked]';
const GUTTER = '      | ';
const LEAST_COLUMNS = 40;

export interface Layout {
  /** The file that the problems are in, where they name no other. */
  readonly path: string;
  readonly color: boolean;
  /** Columns of the terminal; `Infinity`, as when left out, puts each message on one line. */
  readonly width?: number;
}

/** Problems as text: place, message, the line and a caret under what is meant. */
export function formatProblems(problems: readonly Problem[], layout: Layout): string {
  return problems.map((problem) => format(problem, layout)).join('\n');
}

/** Prints problems on stderr, as wide as that is. */
export function tellProblems(problems: readonly Problem[], path: string): void {
  if (problems.length === 0) return;
  const { stderr } = process;
  process.stderr.write(
    `${formatProblems(problems, { path, color: useColor(stderr), width: widthOf(stderr) })}\n`,
  );
}

function format(
  { severity, file, message, hint, line, column, length, source }: Problem,
  { path, color, width = Infinity }: Layout,
): string {
  const columns = Math.max(LEAST_COLUMNS, width);
  const paint = (text: string) => (color ? `\x1b[${severity === 'error' ? 31 : 33}m${text}\x1b[0m` : text);
  const place = `${file ?? path}:${line}:${column}`;
  const [first = '', ...more] = wrapped(message, columns - 4, place.length + severity.length + 3 - 4);
  const head = [`${place} ${paint(severity)}: ${first}`.trimEnd(), ...more.map((each) => `    ${each}`)];
  const { shown, before } = clipped(source, column, Math.min(CLIP, columns - GUTTER.length));
  const size = Math.max(1, Math.min(length, shown.length - before));
  const indent = Bun.stringWidth(shown.slice(0, before));
  const caret = `${' '.repeat(indent)}${paint('^'.repeat(size))}`;
  return [
    ...head,
    `${String(line).padStart(5)} | ${shown}`,
    ...hinted(`${GUTTER}${caret}`, hint, { columns, used: GUTTER.length + indent + size }),
  ].join('\n');
}

/** A hint behind the caret, or below it where there is no room. */
function hinted(
  caret: string,
  hint: string | undefined,
  { columns, used }: { readonly columns: number; readonly used: number },
): string[] {
  if (hint === undefined) return [caret];
  if (used + 1 + Bun.stringWidth(hint) <= columns) return [`${caret} ${hint}`];
  return [caret, ...wrapped(hint, columns - GUTTER.length).map((line) => `${GUTTER}${line}`)];
}

/** The part of a long line around a column. @returns it, and how much of it comes before the column */
function clipped(
  source: string,
  column: number,
  most: number,
): { readonly shown: string; readonly before: number } {
  const written = Math.max(0, column - 1);
  // Where a secret is left out, what was meant stands in it.
  const before = written < source.length || !source.includes(MASKED) ? written : source.indexOf(MASKED);
  if (source.length <= most) return { shown: source, before };
  // Two columns are for the signs that something is left out.
  const size = most - 2;
  const start = Math.max(0, Math.min(before - Math.floor(size / 2), source.length - size));
  const head = start > 0 ? '…' : '';
  const tail = start + size < source.length ? '…' : '';
  return {
    shown: `${head}${source.slice(start, start + size)}${tail}`,
    before: before - start + head.length,
  };
}
