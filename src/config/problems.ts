/** Something wrong with a configuration file, and where. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Such as `providers[1].timeout`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** How many characters of the line are meant. */
  readonly length: number;
  /** The line itself, with secrets hidden. */
  readonly source: string;
}

/** Values that a message must not repeat. */
const SECRET_LINE =
  /^(\s*-?\s*["']?(?:api_key|key|authorization|x-api-key|[\w-]*(?:token|secret|key|auth)[\w-]*)["']?\s*:\s*)(\S.*)$/i;

/** A line as it may be shown: values of keys that hold secrets are masked, references to variables are not. */
export function shownSource(line: string): string {
  const match = SECRET_LINE.exec(line);
  if (
    match &&
    !/^["']?\$\{|^["']?[A-Z][A-Z0-9_]*["']?\s*$/.test(match[2]!) &&
    !/_env|_sha256/.test(match[1]!)
  ) {
    return `${match[1]}[masked]`;
  }
  return line.replace(/\b(sk|gsk|xai)-[\w-]{6,}/g, '[masked]');
}

/** Problems as text: place, message, the line and a caret under what is meant. */
export function formatProblems(
  problems: readonly Problem[],
  { path, color }: { path: string; color: boolean },
): string {
  return problems.map((problem) => format(problem, path, color)).join('\n');
}

function format(
  { severity, message, hint, line, column, length, source }: Problem,
  file: string,
  color: boolean,
): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const level = severity === 'error' ? paint(31, 'error') : paint(33, 'warning');
  const gutter = String(line).padStart(5);
  const width = Math.max(1, Math.min(length, source.length - column + 1));
  const caret = `${' '.repeat(Math.max(0, column - 1))}${paint(severity === 'error' ? 31 : 33, '^'.repeat(width))}`;
  const tail = hint === undefined ? '' : ` ${hint}`;
  return `${file}:${line}:${column} ${level}: ${message}\n${gutter} | ${source}\n      | ${caret}${tail}`;
}
