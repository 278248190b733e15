/** Prints the problems of files. */
import type { Problem } from '../config/problems.ts';
import { printStderr, useColor } from './output.ts';
import { widthOf, wrapped } from './wrap.ts';

/** The longest part of a line that is shown: JSON files often have only one line. */
const CLIP = 160;
/** The line number and a bar on the left. */
const MASKED = '[masked]';
const GUTTER = '      | ';
const LEAST_COLUMNS = 40;

export interface Layout {
  /** The file of problems that name no other. */
  readonly path: string;
  readonly color: boolean;
  /** The width of the terminal; `Infinity`, the default, puts each message on one line. */
  readonly width?: number;
}

/** Problems as text: position, message, the line and a caret. */
export function formatProblems(problems: readonly Problem[], layout: Layout): string {
  return problems.map((problem) => format(problem, layout)).join('\n');
}

/** Prints problems to stderr, in its width. */
export function printProblems(problems: readonly Problem[], path: string): void {
  if (problems.length === 0) return;
  const { stderr } = process;
  printStderr(`${formatProblems(problems, { path, color: useColor(stderr), width: widthOf(stderr) })}\n`);
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

/** A hint after the caret, or below it if there is no room. */
function hinted(
  caret: string,
  hint: string | undefined,
  { columns, used }: { readonly columns: number; readonly used: number },
): string[] {
  if (hint === undefined) return [caret];
  if (used + 1 + Bun.stringWidth(hint) <= columns) return [`${caret} ${hint}`];
  return [caret, ...wrapped(hint, columns - GUTTER.length).map((line) => `${GUTTER}${line}`)];
}

/** The part of a long line around a column. @returns it, and the number of characters before the column */
function clipped(
  source: string,
  column: number,
  most: number,
): { readonly shown: string; readonly before: number } {
  const written = Math.max(0, column - 1);
  // If a secret is masked, the position lies within the mask.
  const before = written < source.length || !source.includes(MASKED) ? written : source.indexOf(MASKED);
  if (source.length <= most) return { shown: source, before };
  // Two columns are for the ellipses.
  const size = most - 2;
  const start = Math.max(0, Math.min(before - Math.floor(size / 2), source.length - size));
  const head = start > 0 ? '…' : '';
  const tail = start + size < source.length ? '…' : '';
  return {
    shown: `${head}${source.slice(start, start + size)}${tail}`,
    before: before - start + head.length,
  };
}
