import type { Clock } from '../../clock.ts';
import type { RequestRow, RunningRow } from '../../web/api.ts';
import type { FleetNews } from '../fleet.ts';

/** How long a watch lasts unless it is renewed, milliseconds: several times the renewal interval. */
const OPEN_MS = 10_000;

/** The interval at which finished requests are sent, milliseconds. */
const SEND_MS = 200;

/** The largest number of requests per message; the oldest of more are dropped, and counted. */
const MAX_ROWS = 500;

interface OutboxDeps {
  readonly clock: Clock;
  readonly inFlight: () => number;
  readonly running: () => readonly RunningRow[];
  readonly tell: (news: FleetNews) => void;
}

/** Finished requests for another process in which they are watched. */
export class Outbox {
  readonly #deps: OutboxDeps;
  #rows: RequestRow[] = [];
  #skipped = 0;
  #openUntilMs = -Infinity;
  #isOpen = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Whether requests are being watched. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Starts or renews a watch. */
  open(): void {
    this.#openUntilMs = this.#deps.clock.monotonic() + OPEN_MS;
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#send();
  }

  add(row: RequestRow): void {
    if (this.#rows.length >= MAX_ROWS) {
      this.#rows.shift();
      this.#skipped += 1;
    }
    this.#rows.push(row);
  }

  #send(): void {
    const { clock, inFlight, running, tell } = this.#deps;
    const now = { inFlight: inFlight(), running: running() };
    tell({ kind: 'rows', rows: this.#rows, skipped: this.#skipped, ...now });
    this.#rows = [];
    this.#skipped = 0;
    this.#isOpen = clock.monotonic() < this.#openUntilMs;
    if (this.#isOpen) clock.after(SEND_MS, () => this.#send());
  }
}
