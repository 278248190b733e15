/**
 * Wraps text at word boundaries. A word that is wider than a line is broken.
 * @param width columns; `Infinity` for a single line
 * @param used columns of the first line that are already in use
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

/** Text from others on one line without control characters: a provider's text must not control the terminal. */
export function plainLine(text: string): string {
  return Bun.stripANSI(text)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .trim();
}

/** Wraps text within a width. Lines that fit, and their indentation, are kept. */
export function fitted(text: string, width: number): string {
  const lines = text.split('\n').flatMap((line) => {
    if (Bun.stringWidth(line) <= width) return [line];
    const indent = /^ */.exec(line)![0];
    return wrapped(line.trim(), width - indent.length).map((each) => indent + each);
  });
  return lines.join('\n');
}

/** The width of a stream that is a terminal; `Infinity` for a file or a pipe. */
export function widthOf(stream: { isTTY?: boolean; columns?: number }): number {
  return stream.isTTY === true && stream.columns ? stream.columns : Infinity;
}
