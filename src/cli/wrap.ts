/**
 * Text as lines of whole words. A word that is wider than a line is broken.
 * @param width columns; `Infinity` for a single line
 * @param used columns of the first line that are taken already
 */
export function wrapped(text: string, width: number, used = 0): string[] {
  const lines = [''];
  let column = used;
  for (const word of text.split(/\s+/).flatMap((each) => pieces(each, width))) {
    const gap = lines.at(-1) === '' ? '' : ' ';
    const taken = gap.length + Bun.stringWidth(word);
    if (column + taken <= width) {
      lines[lines.length - 1] += gap + word;
      column += taken;
    } else {
      lines.push(word);
      column = Bun.stringWidth(word);
    }
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  if (Bun.stringWidth(word) <= width) return [word];
  const found = [''];
  for (const letter of word) {
    const last = found.at(-1)!;
    if (last === '' || Bun.stringWidth(last + letter) <= width) found[found.length - 1] = last + letter;
    else found.push(letter);
  }
  return found;
}

/** What others wrote, as one line of plain characters: a provider's words must not steer a terminal. */
export function plainLine(text: string): string {
  return Bun.stripANSI(text)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .trim();
}

/** Text whose lines end at word ends within a width. Lines that fit, and how each is indented, stay as they are. */
export function fitted(text: string, width: number): string {
  const lines = text.split('\n').flatMap((line) => {
    if (Bun.stringWidth(line) <= width) return [line];
    const indent = /^ */.exec(line)![0];
    return wrapped(line.trim(), width - indent.length).map((each) => indent + each);
  });
  return lines.join('\n');
}

/** Columns of the terminal that a stream is; `Infinity` for a file or a pipe. */
export function widthOf(stream: { isTTY?: boolean; columns?: number }): number {
  return stream.isTTY === true && stream.columns ? stream.columns : Infinity;
}
