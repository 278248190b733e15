/** Parses CSV files. @see RFC 4180 */

/** The text of a file that a spreadsheet may have saved: in UTF-16 with a byte order mark, otherwise in UTF-8. */
export function decodeCsv(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

/**
 * The rows of a CSV text, including the header. Blank lines are skipped. Where commas are decimal, spreadsheets
 * separate cells by semicolons or tabs: if the first line contains no comma, these are separators.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const source = text.replace(/^\uFEFF/, '');
  const [separator = ','] = [',', ';', '\t'].filter((each) => /^[^\r\n]*/.exec(source)![0].includes(each));
  // A quoted cell, in which two quotes stand for one, or a plain cell; followed by its separator.
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\r\n]*))(${separator}|\r\n|\r|\n|$)`, 'gy');
  for (let at = 0; at < source.length;) {
    cell.lastIndex = at;
    const [whole, quoted, plain, end] = cell.exec(source) ?? strayCell(source, at, separator);
    at += whole!.length;
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === separator) continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push([...row, '']);
  return rows;
}

/** A cell with a misplaced quote: the text up to the next separator or line end, verbatim. */
function strayCell(source: string, from: number, separator: string): readonly (string | undefined)[] {
  const stray = new RegExp(`([^${separator}\r\n]*)(${separator}|\r\n|\r|\n|$)`, 'y');
  stray.lastIndex = from;
  const [whole, plain, end] = stray.exec(source)!;
  return [whole, undefined, plain, end];
}
