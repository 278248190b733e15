import type { Session } from '../pipeline/realtime/session.ts';
import { ProxyError } from '../errors.ts';
import { RunningRequests } from '../pipeline/record/running.ts';

/** The work in progress in this process, under any configuration. */
export class Traffic {
  readonly running = new RunningRequests();
  readonly sessions = new Set<Session>();
  readonly sockets = new Set<{ drain(): void }>();
  /** The number of requests in progress. */
  inFlight = 0;
  /** Whether the proxy is about to stop: it says so, and still answers requests. */
  draining = false;
  /** Whether new requests are refused. */
  refusing = false;

  drain(): void {
    this.draining = true;
    for (const each of [...this.sessions, ...this.sockets]) each.drain();
  }

  /** Aborts the requests in progress. */
  cut(): void {
    const error = new ProxyError('shutting_down', 'Cannot finish the answer: the proxy is being stopped');
    this.running.abort(error);
  }
}
