/** Something wrong with a configuration file, and where. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** The file it is in, where that is not the configuration itself. */
  readonly file?: string;
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

const SECRET_NAME = String.raw`["']?[\w-]*(?:token|secret|key|auth|passw|cookie|credential|signature)[\w-]*["']?`;
/** A line of a key whose value a message must not repeat. */
const SECRET_LINE = new RegExp(String.raw`^(\s*-?\s*${SECRET_NAME}\s*:\s*)(\S.*)$`, 'i');
/** The same within braces. */
const SECRET_PAIR = new RegExp(
  String.raw`([{,]\s*${SECRET_NAME}\s*:\s*)("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]?|[^\s,}][^,}]*)`,
  'gi',
);

/** A line as it may be shown: values of keys that hold secrets are masked, references to variables are not. */
export function shownSource(line: string): string {
  // What steers a terminal must not reach one, and each character is one column.
  const plain = line.replace(/\p{Cc}/gu, ' ');
  const [, key, value] = SECRET_LINE.exec(plain) ?? [];
  if (key !== undefined && hides(key, value!)) return `${key}[masked]`;
  return plain
    .replace(SECRET_PAIR, (pair, name: string, text: string) =>
      hides(name, text) ? `${name}[masked]` : pair,
    )
    .replace(/\/\/[^/@\s"']+@/g, '//[masked]@')
    .replace(/\b(?:(?:sk|xai|pplx|csk)-|gsk[-_]|hf_|fw_|AIza)[\w-]{6,}/g, '[masked]');
}

/** Names that only sound like those of secrets. */
const HARMLESS = /(?:^|[^\w-])["']?(?:tokens|tokens_per_second|each_key|keys_file|key_claim)["']?\s*:\s*$/;

/** Whether it is a secret, and neither the name of a variable nor a hash. */
function hides(key: string, value: string): boolean {
  if (HARMLESS.test(key)) return false;
  return !/^["']?\$\{|^["']?[A-Z][A-Z0-9_]*["']?\s*$/.test(value) && !/_env|_sha256/.test(key);
}

/** Problems as text: place, message, the line and a caret under what is meant. */
export function formatProblems(
  problems: readonly Problem[],
  { path, color }: { path: string; color: boolean },
): string {
  return problems.map((problem) => format(problem, path, color)).join('\n');
}

function format(
  { severity, file, message, hint, line, column, length, source }: Problem,
  path: string,
  color: boolean,
): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const level = severity === 'error' ? paint(31, 'error') : paint(33, 'warning');
  const gutter = String(line).padStart(5);
  const { shown, before } = clipped(source, column);
  const width = Math.max(1, Math.min(length, shown.length - before));
  const caret = `${' '.repeat(Bun.stringWidth(shown.slice(0, before)))}${paint(severity === 'error' ? 31 : 33, '^'.repeat(width))}`;
  const tail = hint === undefined ? '' : ` ${hint}`;
  return `${file ?? path}:${line}:${column} ${level}: ${message}\n${gutter} | ${shown}\n      | ${caret}${tail}`;
}

/** Columns of a line that are shown: files on a single line are common in JSON. */
const CLIP = 160;

/** The part of a long line around a column. @returns it, and how much of it comes before the column */
function clipped(source: string, column: number): { readonly shown: string; readonly before: number } {
  const before = Math.max(0, column - 1);
  if (source.length <= CLIP) return { shown: source, before };
  const start = Math.max(0, Math.min(before - CLIP / 2, source.length - CLIP));
  const end = start + CLIP;
  const head = start > 0 ? '…' : '';
  const tail = end < source.length ? '…' : '';
  return { shown: `${head}${source.slice(start, end)}${tail}`, before: before - start + head.length };
}
