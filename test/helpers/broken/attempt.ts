import type { Protocol } from './wire.ts';

/** What a broken provider saw of one request, and what it did. Times are those of `performance.now()`. */
export interface Attempt {
  readonly model: string;
  /** `probe` is a look at the list of models. */
  readonly protocol: Protocol | 'probe';
  readonly stream: boolean;
  readonly path: string;
  /** The entry of the catalogue it met; `fine` for none. */
  fault: string;
  /** When the request was read. */
  readonly atMs: number;
  /** Number of its connection, from 1. */
  readonly connection: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Head of the answer. */
  answered?: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  /** Bytes of the answer's body that the socket took. */
  sentBytes: number;
  closedAtMs?: number;
  /** Who ended it: we, by a whole answer or by a fault, or they, by leaving before. */
  closedBy?: 'us' | 'them';
  aborted: boolean;
}

/** Attempts in numbers. */
export interface Counts {
  attempts: number;
  streamed: number;
  aborted: number;
  /** Not ended yet. */
  open: number;
  readonly byFault: Record<string, { attempts: number; aborted: number }>;
}

/** Remembers attempts, or only their numbers where a run is too long to keep each of them. */
export class AttemptLog {
  readonly #keeps: boolean;
  #attempts: Attempt[] = [];
  #counts: Counts = noCounts();
  readonly #byModel = new Map<string, number>();

  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** @returns which attempt of its model it is, from 1 */
  begin(attempt: Attempt): number {
    if (this.#keeps) this.#attempts.push(attempt);
    const count = (this.#byModel.get(attempt.model) ?? 0) + 1;
    this.#byModel.set(attempt.model, count);
    this.#counts.attempts += 1;
    this.#counts.open += 1;
    if (attempt.stream) this.#counts.streamed += 1;
    return count;
  }

  end({ fault, aborted }: Attempt): void {
    const ofFault = (this.#counts.byFault[fault] ??= { attempts: 0, aborted: 0 });
    ofFault.attempts += 1;
    this.#counts.open -= 1;
    if (!aborted) return;
    ofFault.aborted += 1;
    this.#counts.aborted += 1;
  }

  clear(): void {
    this.#attempts = [];
    this.#counts = noCounts();
    this.#byModel.clear();
  }
}

function noCounts(): Counts {
  return { attempts: 0, streamed: 0, aborted: 0, open: 0, byFault: {} };
}
