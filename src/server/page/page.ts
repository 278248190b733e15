import type { Clock } from '../../clock.ts';
import { HistoryThread } from './history/thread.ts';
import { Sessions } from './sessions.ts';
import { RecordWatch } from './watch.ts';

/** What the page keeps from one configuration to the next. Nothing is loaded, and nothing begun, before somebody looks. */
export class Page {
  readonly watch = new RecordWatch();
  readonly sessions: Sessions;
  /** What the log says of requests that have ended. */
  readonly history: HistoryThread;

  /** @param secret by which sign-ins are sealed: 32 bytes of chance */
  constructor({ clock, secret }: { readonly clock: Clock; readonly secret: Uint8Array }) {
    this.history = new HistoryThread(clock);
    this.sessions = new Sessions(secret, () => clock.now());
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
