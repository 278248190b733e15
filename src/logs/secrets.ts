import { masker } from './redact.ts';
import { Redaction } from './redaction.ts';

/** The number of secrets remembered beside those of the current and the previous configuration. */
const MAX_OTHERS = 4_096;

/**
 * The secrets that must not appear in any output: those of the current configuration; those of former ones, since
 * requests that began with them may still run and their records may still wait; and those obtained at run time, such as
 * tokens. Beside the configuration's own, the last {@link MAX_OTHERS} are remembered.
 */
export class Secrets {
  readonly #keys: readonly string[];
  readonly #onChange: (all: readonly string[]) => void;
  #now: readonly string[];
  #before: readonly string[] = [];
  /** In the order in which they were last added. */
  readonly #others = new Set<string>();
  #all: ReadonlySet<string> = new Set();
  #redaction!: Redaction;
  #mask!: (text: string) => string;

  /**
   * @param keys further JSON keys whose values are redacted in the log
   * @param onChange called with all secrets whenever they change
   */
  constructor(
    now: readonly string[],
    keys: readonly string[],
    onChange: (all: readonly string[]) => void = () => {},
  ) {
    this.#keys = keys;
    this.#now = now;
    this.#onChange = onChange;
    this.#update();
  }

  get all(): readonly string[] {
    return [...this.#all];
  }

  /** Redacts log lines. */
  get redaction(): Redaction {
    return this.#redaction;
  }

  /** Replaces the secrets of the configuration by those of a new one. */
  replace(next: readonly string[]): void {
    this.#remember(this.#before);
    this.#before = this.#now;
    this.#now = next;
    this.#update();
  }

  /** Adds a secret that is not part of the configuration. */
  readonly add = (...secrets: readonly string[]): void => {
    this.#remember(secrets);
    if (secrets.some((secret) => !this.#all.has(secret))) this.#update();
  };

  /** Redacts plain text that is shown. */
  readonly mask = (text: string): string => this.#mask(text);

  #remember(secrets: readonly string[]): void {
    for (const secret of secrets) {
      this.#others.delete(secret);
      this.#others.add(secret);
    }
    for (const oldest of this.#others) {
      if (this.#others.size <= MAX_OTHERS) break;
      this.#others.delete(oldest);
    }
  }

  #update(): void {
    this.#all = new Set([...this.#now, ...this.#before, ...this.#others]);
    const { all } = this;
    this.#redaction = new Redaction({ secrets: all, keys: this.#keys });
    this.#mask = masker(all);
    this.#onChange(all);
  }
}
