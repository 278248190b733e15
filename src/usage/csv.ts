/** Tables out of CSV files. @see RFC 4180 */

/** The rows of a CSV text, the header included. Blank lines are left out. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A cell in quotes, in which two quotes stand for one, or a plain one; and what ends it.
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

/** A cell with a quote where none belongs: the text up to the next comma or line end, as it is. */
function strayCell(source: string, from: number): readonly (string | undefined)[] {
  const stray = /([^,\r\n]*)(,|\r\n|\r|\n|$)/y;
  stray.lastIndex = from;
  const [whole, plain, end] = stray.exec(source)!;
  return [whole, undefined, plain, end];
}
