import type { Session } from '../pipeline/realtime/session.ts';
import { ProxyError } from '../errors.ts';
import { RunningRequests } from '../pipeline/running.ts';

/** What is under way in this process, whatever configuration it began with. */
export class Traffic {
  readonly running = new RunningRequests();
  readonly sessions = new Set<Session>();
  readonly sockets = new Set<{ drain(): void }>();
  /** Requests whose answer has not ended. */
  inFlight = 0;
  /** Whether new requests are refused. */
  draining = false;

  drain(): void {
    this.draining = true;
    for (const each of [...this.sessions, ...this.sockets]) each.drain();
  }

  /** Ends the requests in flight. */
  cut(): void {
    const error = new ProxyError('shutting_down', 'Cannot finish the answer: the proxy is being stopped');
    this.running.abort(error);
  }
}
