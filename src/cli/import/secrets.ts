/** Literal secrets in an imported file: none of them is written anywhere. */
import { createHash } from 'node:crypto';

/** Field names under which a value may be a secret. */
export const CREDENTIAL_NAMES =
  /auth|key|token|secret|cookie|pass|pwd|credential|signature|salt|dsn|webhook|license|connection_string/i;

/** A placeholder that was put where a key was required. */
const PLACEHOLDER =
  /^(?:dummy|none|null|empty|fake|any|anything|not[-_ ]?(?:needed|required|used)|no[-_ ]?key|unused|ollama|lm-?studio|test|placeholder|replace[-_ ]?me|changeme|your[-_ ].*|<.*>|x+|sk-?(?:xx+|1234|dummy|fake|none)?|bearer)(?:[-_ ]?(?:api)?[-_ ]?key)?$/i;

/** Whether a key is only a placeholder. */
export function isPlaceholder(key: string): boolean {
  return PLACEHOLDER.test(key.trim());
}

/** A client's key in the form that the configuration may hold. */
export function hashOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Replaces literal keys by variables. Equal keys get the same variable. */
export class KeyNames {
  readonly #names = new Map<string, string>();
  readonly #others = new Set<string>();
  readonly #used: Set<string>;

  /** @param text of the file, whose own variables must not be reused for other keys */
  constructor(text: string) {
    const found = text.matchAll(/(?:os\.environ\/|\benv\.|\$\{?|_env["']?:\s*["']?)([A-Za-z_]\w*)/g);
    this.#used = new Set([...found].map(([, name]) => name!));
  }

  /** The variable for a key. @param wanted its name, if that is free */
  nameFor(key: string, wanted: string): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    let name = wanted;
    for (let number = 2; this.#used.has(name); number += 1) name = `${wanted}_${number}`;
    this.#used.add(name);
    this.#names.set(key, name);
    return name;
  }

  /** Registers a secret that does not get a variable. */
  hide(secret: string): void {
    this.#others.add(secret);
  }

  /** Everything that must not appear in the result. */
  get secrets(): readonly string[] {
    return [...this.#names.keys(), ...this.#others];
  }

  /** The variables that have to be set. */
  get names(): readonly string[] {
    return [...this.#names.values()];
  }
}

/** Converts a name to that of a variable. */
export function variableName(...parts: readonly string[]): string {
  return parts
    .join('_')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase();
}
