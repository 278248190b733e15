import type { Protocol } from './wire.ts';

/** What a broken provider received in one request, and how it reacted. Times are those of `performance.now()`. */
export interface Attempt {
  readonly model: string;
  /** `probe` is a request for the list of models. */
  readonly protocol: Protocol | 'probe';
  readonly stream: boolean;
  readonly path: string;
  /** The fault it met, an entry of the catalogue; `fine` if none. */
  fault: string;
  /** When the request was complete. */
  readonly atMs: number;
  /** The number of its connection, from 1. */
  readonly connection: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Status and headers of the answer. */
  answered?: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  /** Bytes of the answer's body that the socket accepted. */
  sentBytes: number;
  closedAtMs?: number;
  /** Who ended it: the provider, with a complete answer or a fault, or the client, by disconnecting. */
  closedBy?: 'us' | 'them';
  aborted: boolean;
}

/** Numbers of attempts. */
export interface Counts {
  attempts: number;
  streamed: number;
  aborted: number;
  /** Attempts that have not ended yet. */
  open: number;
  readonly byFault: Record<string, { attempts: number; aborted: number }>;
}

/** Remembers attempts, or only counts them if a run is too long to keep each of them. */
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

  /** @returns the number of the attempt at its model, from 1 */
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
