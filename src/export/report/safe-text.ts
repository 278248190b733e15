/** Log content for a terminal or a page, which it must not control. */

/**
 * Control characters except line breaks, characters that override the direction of text, and lone surrogates. Tabs
 * become spaces. Marks of direction, which Arabic and Hebrew texts contain, only place a sign beside them.
 */
const CONTROL = /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/** A text, with its line breaks. */
export function safeText(text: string): string {
  return text
    .replaceAll(/\r\n|[\u2028\u2029]/g, '\n')
    .replaceAll('\t', '    ')
    .replaceAll(CONTROL, '\ufffd');
}

/** A name, or another text that must stay on one line. @param most the most columns, of which a cut one ends with `...` */
export function safeLine(text: string, most = Infinity): string {
  const line = safeText(text)
    .split('\n')
    .map((each) => each.trim())
    .join(' ');
  if (Bun.stringWidth(line) <= most) return line;
  return `${piecesOf(line, most - CUT.length)[0]!}${CUT}`;
}

const CUT = '...';

/** A line in pieces of at most this many columns: Chinese characters and emoji take two. */
export function piecesOf(line: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let width = 0;
  for (const { segment } of characters.segment(line)) {
    const more = Bun.stringWidth(segment);
    if (width + more > columns && piece !== '') {
      pieces.push(piece);
      [piece, width] = ['', 0];
    }
    piece += segment;
    width += more;
  }
  return [...pieces, piece];
}

/** What a reader sees as one character. */
const characters = new Intl.Segmenter('en');
