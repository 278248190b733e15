import type { LogRecord } from '../../src/logs/record.ts';
import type { SimRequest } from './book.ts';
import type { Ended } from './ends.ts';
import type { EventLog } from './events.ts';
import type { Judge, Scene } from './scene.ts';
import { BlameJudge } from './blame.ts';
import { Book } from './book.ts';
import { judgeEnd } from './ends.ts';
import { HammeringJudge } from './hammering.ts';
import { Known } from './known.ts';
import { RecoveryJudge } from './recovery.ts';
import { Violations } from './violations.ts';

/** The model: it is notified of all events, knows which faults are active, and records violations of the rules. */
export class Model implements Scene {
  readonly clock: Scene['clock'];
  readonly book: Book;
  readonly known = new Known();
  readonly violations: Violations;
  readonly #judges: readonly Judge[];

  constructor(clock: Scene['clock'], events: EventLog) {
    this.clock = clock;
    this.book = new Book(clock, events);
    this.violations = new Violations(events);
    this.#judges = [new BlameJudge(this), new RecoveryJudge(this), new HammeringJudge(this)];
    this.book.watcher = {
      began: (call) => {
        for (const judge of this.#judges) judge.began?.(call);
      },
      ended: (call) => {
        this.known.ended(call);
        for (const judge of this.#judges) judge.ended?.(call);
      },
      probed: (provider) => {
        for (const judge of this.#judges) judge.probed?.(provider);
      },
    };
  }

  arrives(request: SimRequest): void {
    this.book.arrives(request);
    for (const judge of this.#judges) judge.arrives?.(request);
  }

  /** The answer is finished. @param record its record, unless the client disconnected */
  finished(request: SimRequest, record: LogRecord | undefined): void {
    this.book.requests.delete(request.id);
    for (const judge of this.#judges) judge.finished?.(request, record);
  }

  /** Called some time after the answer, when its record and the ends of its calls must be known. */
  settled(ended: Ended, deadlineMs: number): void {
    judgeEnd(ended, this, deadlineMs);
  }

  reloaded(): void {
    this.known.reloaded();
    for (const judge of this.#judges) judge.reloaded?.();
  }
}
