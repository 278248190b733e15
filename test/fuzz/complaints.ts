/** Defects that the program reports: the error, and the first lines of its stack. */
export function complaintsIn(text: string): string | undefined {
  const lines = text
    .split('\n')
    .filter((line) => /^\s+at \S|told once|^\w*(?:Error|error|panic)\b.*:/.test(line));
  return lines.length === 0
    ? undefined
    : lines
        .slice(0, 5)
        .map((line) => line.trim())
        .join(' | ');
}
