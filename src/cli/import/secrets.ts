/** Secrets that stand in a file: none of them is written anywhere. */
import { createHash } from 'node:crypto';

/** Names under which a value may be a secret. */
export const CREDENTIAL_NAMES =
  /auth|key|token|secret|cookie|pass|pwd|credential|signature|salt|dsn|webhook|license|connection_string/i;

/** A place for a key that was filled because something had to stand there. */
const PLACEHOLDER =
  /^(?:dummy|none|null|empty|fake|any|anything|not[-_ ]?(?:needed|required|used)|no[-_ ]?key|unused|ollama|lm-?studio|test|placeholder|replace[-_ ]?me|changeme|your[-_ ].*|<.*>|x+|sk-?(?:xx+|1234|dummy|fake|none)?|bearer)(?:[-_ ]?(?:api)?[-_ ]?key)?$/i;

/** Whether a key is none. */
export function isPlaceholder(key: string): boolean {
  return PLACEHOLDER.test(key.trim());
}

/** A client's key as the configuration may hold it. */
export function hashOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Gives names of variables to keys that stand in the file itself. The same key has one name. */
export class KeyNames {
  readonly #names = new Map<string, string>();
  readonly #others = new Set<string>();
  readonly #used: Set<string>;

  /** @param text the file, whose own variables are not to be taken for other keys */
  constructor(text: string) {
    const found = text.matchAll(/(?:os\.environ\/|\benv\.|\$\{?|_env["']?:\s*["']?)([A-Za-z_]\w*)/g);
    this.#used = new Set([...found].map(([, name]) => name!));
  }

  /** The variable for a key. @param wanted the name that it gets while that is free */
  nameFor(key: string, wanted: string): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    let name = wanted;
    for (let number = 2; this.#used.has(name); number += 1) name = `${wanted}_${number}`;
    this.#used.add(name);
    this.#names.set(key, name);
    return name;
  }

  /** Remembers a secret that gets no variable. */
  hide(secret: string): void {
    this.#others.add(secret);
  }

  /** What may stand nowhere in the result. */
  get secrets(): readonly string[] {
    return [...this.#names.keys(), ...this.#others];
  }

  /** The variables that have to be set. */
  get names(): readonly string[] {
    return [...this.#names.values()];
  }
}

/** A name as that of a variable. */
export function variableName(...parts: readonly string[]): string {
  return parts
    .join('_')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase();
}
