/** Rows in a terminal, with marks on what is trained. */
import type { JsonObject } from '../../wire/json.ts';
import type { Format } from '../render/format.ts';
import { piecesOf, safeLine, safeText } from '../report/safe-text.ts';
import { countText } from '../report/text.ts';
import { toolNames, turnsOfRow } from './turns.ts';

export interface PreviewLook {
  /** Whether to use colours. */
  readonly color: boolean;
  /** The width of the terminal. */
  readonly width: number;
}

/** The number of lines shown per turn. */
const MOST_LINES = 40;
const MARK = '▌ ';
const PLAIN = '  ';

/** Rows as text: the model is trained to write the marked lines. */
export function previewText(
  rows: readonly JsonObject[],
  loss: Format['loss'] | undefined,
  { color, width }: PreviewLook,
): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const out: string[] = [];
  for (const [index, row] of rows.entries()) {
    const tools = toolNames(row);
    const defined = tools.length > 0 ? `, tools ${tools.join(', ')}` : '';
    out.push(paint(1, safeLine(`Row ${index + 1}${defined}`)));
    for (const { role, text, trained } of turnsOfRow(row, loss)) {
      out.push(paint(trained ? 32 : 2, `${trained ? MARK : PLAIN}${safeLine(role)}`));
      for (const line of shownLines(text, width - MARK.length))
        out.push(trained ? paint(32, MARK) + line : PLAIN + line);
    }
    out.push('');
  }
  const marked =
    rows.length > 0
      ? `${paint(32, MARK)}is what the model is trained to say\n`
      : 'There are no rows to show\n';
  return `${out.join('\n')}${out.length > 0 ? '\n' : ''}${marked}`;
}

/** A text in lines that fit, without control characters. */
function shownLines(text: string, width: number): string[] {
  const lines = safeText(text)
    .split('\n')
    .flatMap((line) => (2 * line.length <= width ? [line] : cut(line, width)));
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `... ${countText(lines.length - MOST_LINES)} more lines`];
}

/** The smallest width that is used; narrower terminals cut lines off. */
const LEAST_WIDTH = 20;

function cut(line: string, width: number): string[] {
  return piecesOf(line, Math.max(LEAST_WIDTH, width));
}
