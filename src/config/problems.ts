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

/** Whether it is `keys` with maps on one line, whose secrets are found by their own keys. */
function areKeyMaps(key: string, value: string): boolean {
  return /(?:^|\s)["']?keys["']?\s*:\s*$/.test(key) && MAPS.test(value);
}

const MAPS = /^(?:\{[^{}]*\}|\[\s*\{[^{}]*\}(?:\s*,\s*\{[^{}]*\})*\s*\])\s*(?:#.*)?$/;

/** A line as it may be shown: values of keys that hold secrets are masked, references to variables are not. */
export function shownSource(line: string): string {
  // What steers a terminal must not reach one, and each character is one column.
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

/** Names that only sound like those of secrets. */
const HARMLESS = /(?:^|[^\w-])["']?(?:tokens|tokens_per_second|each_key|keys_file|key_claim)["']?\s*:\s*$/;

/** Whether it is a secret, and neither the name of a variable nor a hash. */
function hides(key: string, value: string): boolean {
  if (HARMLESS.test(key)) return false;
  return !/^["']?\$\{|^["']?[A-Z][A-Z0-9_]*["']?\s*$/.test(value) && !/_env|_sha256/.test(key);
}
