import type { Abort } from '../../abort.ts';
import type { Admission, Requester } from '../admission.ts';
import type { Exchange } from '../exchange.ts';
import type { Inbound } from '../inbound.ts';
import type { RequestRouter, Routed } from '../router.ts';
import type { Begun } from './attempt.ts';
import type { Peer, SessionDeps, SessionLimits } from './session.ts';
import { protocolOf } from './messages.ts';
import { Session } from './session.ts';

export interface RealtimeDeps extends Omit<SessionDeps, 'limits' | 'over'> {
  readonly admission: Admission;
  readonly router: RequestRouter<Begun>;
  readonly limits: Omit<SessionLimits, 'maxContent'>;
  /** Largest transcript that is kept, characters. */
  readonly maxContent: number;
  /** Those that are under way; they outlive a configuration. */
  readonly sessions: Set<Session>;
}

/** Who wants a session. */
export interface Wanted {
  readonly abort: Abort;
  readonly requester: Requester;
  /** Whether the record is to have what was said. */
  readonly keeps: boolean;
}

/** A session that a provider has begun, and the client is still to be told of. */
export interface Agreed {
  readonly routed: Routed<Begun>;
  /** @param asked what the client has sent already, and the provider has been told */
  begin(peer: Peer, asked: readonly string[]): Session;
  /** There is no client any more. */
  discard(): void;
}

/** Opens realtime sessions: finds targets, asks them in turn, and joins the two ends. */
export class Realtime {
  readonly #deps: RealtimeDeps;

  constructor(deps: RealtimeDeps) {
    this.#deps = deps;
  }

  /** @throws ProxyError; then the exchange is left for the caller to finish */
  async open(inbound: Inbound, exchange: Exchange, wanted: Wanted): Promise<Agreed> {
    const { admission, router, clock } = this.#deps;
    const admitted = await admission.admit(inbound, wanted.requester);
    const { candidates, policy, lease, instead, expected } = admitted;
    exchange.admitted(lease, expected);
    if (lease) exchange.limitHeaders = lease.headers(false);
    if (instead !== undefined)
      exchange.limitHeaders = { ...exchange.limitHeaders, 'x-llmproxy-instead': instead };
    const routed = await router.route({
      inbound,
      candidates,
      // A session cannot be given to whoever is faster, nor gone on with elsewhere.
      policy: { ...policy, hedge: false, resume: false },
      expected,
      abort: wanted.abort,
      deadlineMs: Math.min(inbound.beginWithinMs, inbound.endWithinMs),
      exchange,
    });
    exchange.answers(routed.target, routed.offer, 'relay');
    return {
      routed,
      begin: (peer, asked) => this.#begin(peer, asked, { inbound, exchange, routed, wanted }),
      discard() {
        routed.opened.answer.socket.terminate();
        routed.target.abandon(routed.ticket, clock.monotonic());
      },
    };
  }

  #begin(
    peer: Peer,
    asked: readonly string[],
    {
      inbound,
      exchange,
      routed,
      wanted,
    }: {
      readonly inbound: Inbound;
      readonly exchange: Exchange;
      readonly routed: Routed<Begun>;
      readonly wanted: Wanted;
    },
  ): Session {
    const { sessions, limits, maxContent } = this.#deps;
    const session = new Session(
      peer,
      protocolOf(inbound.endpoint),
      { exchange, routed },
      {
        ...this.#deps,
        limits: { ...limits, maxContent: wanted.keeps ? maxContent : 0 },
        over: (over) => void sessions.delete(over),
      },
    );
    sessions.add(session);
    session.begin(asked);
    return session;
  }
}
