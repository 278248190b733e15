import type { Clock } from '../../clock.ts';
import type { Exchange } from '../../pipeline/exchange.ts';
import type { Fleet } from '../fleet.ts';
import { longest } from './running.ts';
import { HistoryThread } from './history/thread.ts';
import { Sessions } from './sessions.ts';
import { RecordWatch } from './watch.ts';

export interface PageDeps {
  readonly clock: Clock;
  /** By which sign-ins are sealed: 32 bytes of chance. */
  readonly secret: Uint8Array;
  /** Requests whose answer has not ended. */
  readonly inFlight: () => number;
  /** Those requests, in the order in which they came. */
  readonly running: () => Iterable<Exchange>;
  /** The other processes that serve the same port, where there are some. */
  readonly fleet: Fleet | undefined;
}

/** What the page keeps from one configuration to the next. Nothing is loaded, and nothing begun, before somebody looks. */
export class Page {
  readonly watch: RecordWatch;
  readonly sessions: Sessions;
  /** What the log says of requests that have ended. */
  readonly history: HistoryThread;

  constructor({ clock, secret, inFlight, running, fleet }: PageDeps) {
    this.history = new HistoryThread(clock);
    this.watch = new RecordWatch({ clock, inFlight, running: () => longest(running()), fleet });
    this.sessions = new Sessions(secret, () => clock.now());
    fleet?.hear((told) => {
      if (told.kind === 'signed_out') this.sessions.end(told);
    });
  }

  /** Ends what would keep the process from ending, or shows what a former configuration allowed. */
  endStreams(): void {
    this.watch.end();
  }

  close(): void {
    this.endStreams();
    this.history.close();
  }
}
