import type { Clock } from '../../clock.ts';
import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Fleet } from '../fleet.ts';
import { longest } from './running.ts';
import { HistoryThread } from './history/thread.ts';
import { Sessions } from './sessions.ts';
import { RecordWatch } from './watch.ts';

export interface PageDeps {
  readonly clock: Clock;
  /** Seals sign-ins: 32 random bytes. */
  readonly secret: Uint8Array;
  /** The number of requests in progress. */
  readonly inFlight: () => number;
  /** The requests in progress, in order of arrival. */
  readonly running: () => Iterable<Exchange>;
  /** The other processes that serve the same port, if there are any. */
  readonly fleet: Fleet | undefined;
}

/** The state of the page across configurations. Nothing is loaded or started before it is first used. */
export class Page {
  readonly watch: RecordWatch;
  readonly sessions: Sessions;
  /** Reads finished requests from the log. */
  readonly history: HistoryThread;

  constructor({ clock, secret, inFlight, running, fleet }: PageDeps) {
    this.history = new HistoryThread(clock);
    this.watch = new RecordWatch({ clock, inFlight, running: () => longest(running()), fleet });
    this.sessions = new Sessions(secret, () => clock.now());
    fleet?.subscribe((news) => {
      if (news.kind === 'signed_out') this.sessions.end(news);
    });
  }

  /** Ends everything that would keep the process running, or that shows what a former configuration allowed. */
  endStreams(): void {
    this.watch.end();
  }

  close(): void {
    this.endStreams();
    this.history.close();
  }
}
