/** Parses CSV files. @see RFC 4180 */

/** The rows of a CSV text, including the header. Blank lines are skipped. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A quoted cell, in which two quotes stand for one, or a plain cell; followed by its separator.
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\r|\n|$)/gy;
  const source = text.replace(/^\uFEFF/, '');
  for (let at = 0; at < source.length;) {
    cell.lastIndex = at;
    const [whole, quoted, plain, end] = cell.exec(source) ?? strayCell(source, at);
    at += whole!.length;
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push([...row, '']);
  return rows;
}

/** A cell with a misplaced quote: the text up to the next comma or line end, verbatim. */
function strayCell(source: string, from: number): readonly (string | undefined)[] {
  const stray = /([^,\r\n]*)(,|\r\n|\r|\n|$)/y;
  stray.lastIndex = from;
  const [whole, plain, end] = stray.exec(source)!;
  return [whole, undefined, plain, end];
}
