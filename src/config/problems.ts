/** A problem in a configuration file, and its position. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** The file it is in, if that is not the configuration itself. */
  readonly file?: string;
  /** For example `providers[1].timeout`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** The number of characters it covers. */
  readonly length: number;
  /** The line itself, with secrets masked. */
  readonly source: string;
}

const SECRET_NAME = String.raw`["']?[\w-]*(?:token|secret|key|auth|passw|cookie|credential|signature)[\w-]*["']?`;
/** A line with a key whose value must not appear in messages. */
const SECRET_LINE = new RegExp(String.raw`^(\s*-?\s*${SECRET_NAME}\s*:\s*)(\S.*)$`, 'i');
/** The same within braces. */
const SECRET_PAIR = new RegExp(
  String.raw`([{,]\s*${SECRET_NAME}\s*:\s*)("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]?|[^\s,}][^,}]*)`,
  'gi',
);

/** Whether the line is `keys` with inline maps, whose secrets are found by their own keys. */
function areKeyMaps(key: string, value: string): boolean {
  return /(?:^|\s)["']?keys["']?\s*:\s*$/.test(key) && MAPS.test(value);
}

const MAPS = /^(?:\{[^{}]*\}|\[\s*\{[^{}]*\}(?:\s*,\s*\{[^{}]*\})*\s*\])\s*(?:#.*)?$/;

/**
 * A line in a form that may be shown: the values of keys that hold secrets are masked, references to variables are
 * kept.
 */
export function shownSource(line: string): string {
  // Control sequences must not reach a terminal, and each character must take one column.
  const plain = line.replace(/\p{Cc}/gu, ' ');
  const [, key, value] = SECRET_LINE.exec(plain) ?? [];
  if (key !== undefined && hides(key, value!) && !areKeyMaps(key, value!)) return `${key}[masked]`;
  return plain
    .replace(SECRET_PAIR, (pair, name: string, text: string) =>
      hides(name, text) ? `${name}[masked]` : pair,
    )
    .replace(/\/\/[^/@\s"']+@/g, '//[masked]@')
    .replace(/\b(?:(?:sk|xai|pplx|csk)-|gsk[-_]|hf_|fw_|AIza)[\w-]{6,}/g, '[masked]');
}

/** Names that resemble those of secrets. */
const HARMLESS = /(?:^|[^\w-])["']?(?:tokens|tokens_per_second|each_key|keys_file|key_claim)["']?\s*:\s*$/;

/** Whether a value is a secret rather than the name of a variable or a hash. */
function hides(key: string, value: string): boolean {
  if (HARMLESS.test(key)) return false;
  return !/^["']?\$\{|^["']?[A-Z][A-Z0-9_]*["']?\s*$/.test(value) && !/_env|_sha256/.test(key);
}
