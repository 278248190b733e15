/** Tables with names and numbers. */
import { wrapped } from './wrap.ts';

export interface NumberTable {
  /** The headings of the columns with names. */
  readonly names: readonly string[];
  /** The headings of the columns with numbers. */
  readonly numbers: readonly string[];
  readonly rows: readonly NumberRow[];
  /** The row of totals. */
  readonly total?: NumberRow;
}

export interface NumberRow {
  readonly names: readonly string[];
  readonly numbers: readonly string[];
  /** The value that its bar shows; none if omitted. */
  readonly size?: number;
}

const GAP = 2;
const MIN_BAR = 6;
const MAX_BAR = 24;
/** The narrowest width of a column with names. */
const MIN_NAME = 8;
/** Names of this length are more useful than a bar. */
const WANTED_NAME = 32;

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Whether the numbers, names of some length and a bar fit into a width. */
export function hasRoom(table: NumberTable, width: number): boolean {
  const wanted = nameWidths(table).reduce((sum, each) => sum + Math.min(each, WANTED_NAME) + GAP, 0);
  return wanted + numbersWidth(table) + GAP + MIN_BAR <= width;
}

/**
 * Names on the left, numbers on the right, and bars after them if there is room. Names that are too long are wrapped.
 * @param width columns of the terminal; `Infinity` for no bars
 * @param paint colours a bar
 */
export function numberTable(table: NumberTable, width: number, paint = (bar: string) => bar): string {
  const { names, numbers, rows } = table;
  const numberWidths = widthsOf(
    numbers,
    allRows(table).map((row) => row.numbers),
  );
  // Long names are wrapped in favour of a bar, down to a width below which they become unreadable.
  const room = width - numbersWidth(table) - (hasRoom(table, width) ? GAP + MIN_BAR : 0);
  const widths = narrowed(nameWidths(table), room);
  const left = width - widths.reduce((sum, each) => sum + each + GAP, 0) - numbersWidth(table) - GAP;
  const bar = left === Infinity || left < MIN_BAR ? 0 : Math.min(left, MAX_BAR);
  const most = Math.max(0, ...rows.map(({ size = 0 }) => size));
  const line = (row: NumberRow): string[] => {
    const cells = widths.map((each, at) => cellLines(row.names[at] ?? '', each));
    const height = Math.max(1, ...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) => {
      const named = cells.map((lines, column) => padEnd(lines[at] ?? '', widths[column]!));
      const counted = at > 0 ? [] : row.numbers.map((text, column) => text.padStart(numberWidths[column]!));
      const drawn = at > 0 || bar === 0 || !row.size ? '' : barOf((row.size / most) * bar);
      const text = [...named, ...counted].join(' '.repeat(GAP)).trimEnd();
      return drawn === '' ? text : `${text}${' '.repeat(GAP)}${paint(drawn)}`;
    });
  };
  const heads = [...names, ...numbers].some((head) => head !== '') ? [{ names, numbers }] : [];
  return [...heads, ...allRows(table)].flatMap(line).join('\n');
}

function barOf(length: number): string {
  const eighths = Math.max(1, Math.round(length * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

function allRows({ rows, total }: NumberTable): NumberRow[] {
  return [...rows, ...(total ? [total] : [])];
}

function nameWidths(table: NumberTable): number[] {
  return widthsOf(
    table.names,
    allRows(table).map(({ names }) => names),
  );
}

/** The width of all columns with numbers, including the gaps between them. */
function numbersWidth(table: NumberTable): number {
  const widths = widthsOf(
    table.numbers,
    allRows(table).map(({ numbers }) => numbers),
  );
  return widths.reduce((sum, each) => sum + each + GAP, -GAP);
}

function widthsOf(heads: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return heads.map((head, column) =>
    Math.max(Bun.stringWidth(head), ...rows.map((cells) => Bun.stringWidth(cells[column] ?? ''))),
  );
}

/** Narrows the widest columns until everything fits. */
function narrowed(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  for (;;) {
    const excess = widths.reduce((sum, each) => sum + each + GAP, -room);
    const column = widths.indexOf(Math.max(...widths));
    if (excess <= 0 || column < 0 || widths[column]! <= MIN_NAME) return widths;
    widths[column] = Math.max(MIN_NAME, widths[column]! - excess);
  }
}

function cellLines(text: string, width: number): string[] {
  return Bun.stringWidth(text) <= width ? [text] : wrapped(text, width);
}

function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)));
}
