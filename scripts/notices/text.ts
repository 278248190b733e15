/** Licences as plain text of a given width. */

/**
 * Turns Markdown into plain text: the front matter is removed, table rows become list items, and the address of a link
 * follows its text in angle brackets.
 */
export function plainText(markdown: string): string {
  return markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^\|.*\|\n\|(?:[ :-]+\|)+\n/gm, '')
    .replace(/^\|(.*)\|$/gm, (_, row: string) => `- ${cells(row).join(': ')}`)
    .replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1 <$2>')
    .replaceAll('`', '')
    .replaceAll('’', "'")
    .trim();
}

function cells(row: string): string[] {
  return row.split('|').map((cell) => cell.trim());
}

/** Removes empty lines at both ends; the first line keeps its indentation. */
export function trimLines(text: string): string {
  return text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();
}

/** Breaks long lines, at spaces if there are any, and indents the continuation like the line itself. */
export function wrap(text: string, width: number): string {
  return text
    .replaceAll(/\r\n?|\f/g, '\n')
    .split('\n')
    .map((line) => breakLine(line.trimEnd(), width))
    .join('\n');
}

function breakLine(line: string, width: number): string {
  const indent = /^(?: *(?:- )?)/.exec(line)![0].length;
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > indent ? space : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = ' '.repeat(indent) + rest.slice(end).trimStart();
  }
  return [...lines, rest].join('\n');
}
