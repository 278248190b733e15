import { wrapped } from './wrap.ts';

/** The narrowest width of a column. */
const MIN_COLUMN = 8;

/**
 * Rows as aligned columns. If they are wider than the terminal, columns are narrowed and their cells wrapped: nothing
 * is cut.
 * @param width columns of the terminal; `Infinity` when the output is not a terminal
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [header, ...rows];
  const widest = (measure: (cell: string) => number) =>
    header.map((_, column) => Math.max(...all.map((row) => measure(row[column] ?? ''))));
  const natural = widest(Bun.stringWidth);
  const words = widest((cell) => Math.max(...cell.split(' ').map((word) => Bun.stringWidth(word))));
  const room = width - 2 * (header.length - 1);
  // Words are broken only if lines of whole words do not fit.
  const whole = narrowed(natural, words, room);
  const least = words.map((each) => Math.min(each, MIN_COLUMN));
  const widths = narrowed(whole, least, room);
  return all.flatMap((row) => linesOf(row, widths)).join('\n');
}

/**
 * Narrows the widest columns until all fit, each down to its least width.
 * @param room the total width of all columns
 */
function narrowed(natural: readonly number[], least: readonly number[], room: number): number[] {
  const widths = [...natural];
  for (;;) {
    const excess = widths.reduce((sum, each) => sum + each, -room);
    const slack = widths.map((each, column) => (each > least[column]! ? each : 0));
    const column = slack.indexOf(Math.max(...slack));
    if (excess <= 0 || slack[column] === 0) return widths;
    widths[column] = Math.max(least[column]!, widths[column]! - excess);
  }
}

function linesOf(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((width, column) => {
    const cell = row[column] ?? '';
    return Bun.stringWidth(cell) <= width ? [cell] : wrapped(cell, width);
  });
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, index) =>
    cells
      .map((lines, column) => padded(lines[index] ?? '', widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)));
}
