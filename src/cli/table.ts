/**
 * Rows as aligned columns. The widest text column gives way when the rows are wider than the terminal.
 * @param width columns of the terminal; `Infinity` when the output is no terminal
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => Bun.stringWidth(row[column] ?? ''))));
  const gaps = 2 * (widths.length - 1);
  const excess = widths.reduce((sum, cell) => sum + cell, gaps) - width;
  if (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = Math.max(8, widths[widest]! - excess);
  }
  return all
    .map((row) =>
      row
        .map((cell, column) => fit(cell, widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function fit(cell: string, width: number): string {
  const excess = Bun.stringWidth(cell) - width;
  if (excess <= 0) return cell + ' '.repeat(-excess);
  return `${cell.slice(0, Math.max(0, width - 3))}...`;
}
