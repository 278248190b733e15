import { masker } from './redact.ts';
import { Redaction } from './redaction.ts';

/** Secrets that are remembered beside those of the configuration in force and of the one before it. */
const MAX_OTHERS = 4_096;

/**
 * The secrets that nothing may show: those of the configuration in force, those of former ones, as requests that began
 * with them may still be answered and records made then may still wait, and those that were read or fetched while
 * the proxy runs, such as tokens. Of all but the configuration's the last {@link MAX_OTHERS} are remembered.
 */
export class Secrets {
  readonly #keys: readonly string[];
  readonly #onChange: (all: readonly string[]) => void;
  #now: readonly string[];
  #before: readonly string[] = [];
  /** In the order they were last told of. */
  readonly #others = new Set<string>();
  #all: ReadonlySet<string> = new Set();
  #redaction!: Redaction;
  #mask!: (text: string) => string;

  /**
   * @param keys further JSON keys whose values are hidden in the log
   * @param onChange told of all of them whenever they change
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

  /** Takes them out of lines of the log. */
  get redaction(): Redaction {
    return this.#redaction;
  }

  /** Takes over those of another configuration. */
  replace(next: readonly string[]): void {
    this.#remember(this.#before);
    this.#before = this.#now;
    this.#now = next;
    this.#update();
  }

  /** One more, from elsewhere than the configuration. */
  readonly add = (...secrets: readonly string[]): void => {
    this.#remember(secrets);
    if (secrets.some((secret) => !this.#all.has(secret))) this.#update();
  };

  /** Takes them out of plain text that is shown. */
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
