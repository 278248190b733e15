import type { Abort } from '../../abort.ts';
import type { Limiter } from '../../limits/limiter.ts';
import type { Admission, Requester } from '../admission.ts';
import { othersIn } from '../admission.ts';
import type { Exchange } from '../record/exchange.ts';
import type { Inbound } from '../inbound.ts';
import type { RequestRouter, Routed } from '../routing/router.ts';
import type { Begun } from './attempt.ts';
import type { Peer, SessionDeps, SessionLimits } from './session.ts';
import { protocolOf } from './messages.ts';
import { Session } from './session.ts';
import { Terms } from './terms.ts';
import { headerText } from '../../wire/header-text.ts';

export interface RealtimeDeps extends Omit<SessionDeps, 'limits' | 'over' | 'permit' | 'takePlace'> {
  readonly admission: Admission;
  readonly limiter: Limiter;
  readonly router: RequestRouter<Begun>;
  readonly limits: Omit<SessionLimits, 'maxContent'>;
  /** The largest transcript that is kept, characters. */
  readonly maxContent: number;
  /** The sessions in progress; they outlive a configuration. */
  readonly sessions: Set<Session>;
}

/** The caller of a session. */
export interface Wanted {
  readonly abort: Abort;
  readonly requester: Requester;
  /** Whether the transcript is recorded. */
  readonly keeps: boolean;
}

/** A session that a provider has begun, before the client is connected to it. */
export interface Agreed {
  readonly routed: Routed<Begun>;
  /** What applies to the session. */
  readonly terms: Terms;
  /** @param sent the client's first message, which the provider has already received */
  begin(peer: Peer, sent: readonly string[]): Session;
  /** The client has disconnected. */
  discard(): void;
}

/** Opens realtime sessions: finds targets, tries them in turn, and connects the two ends. */
export class Realtime {
  readonly #deps: RealtimeDeps;

  constructor(deps: RealtimeDeps) {
    this.#deps = deps;
  }

  /** @throws ProxyError; the caller must finish the exchange then */
  async open(inbound: Inbound, exchange: Exchange, wanted: Wanted): Promise<Agreed> {
    const { admission, limiter, router, clock } = this.#deps;
    const admitted = await admission.admit(inbound, wanted.requester);
    const { candidates, policy, lease, instead, expected } = admitted;
    exchange.admitted(lease, expected);
    if (lease) exchange.limitHeaders = lease.headers(false);
    if (instead !== undefined)
      exchange.limitHeaders = { ...exchange.limitHeaders, 'x-llmproxy-instead': headerText(instead) };
    const routed = await router.route({
      inbound,
      candidates,
      // A session can be neither hedged nor continued elsewhere.
      policy: { ...policy, hedge: false, resume: false },
      expected,
      abort: wanted.abort,
      deadlineMs: Math.min(inbound.beginWithinMs, inbound.endWithinMs),
      exchange,
    });
    exchange.answers(routed.target, routed.offer, 'relay');
    const { caller, address } = wanted.requester;
    const others = limiter.looksAtModels(caller) ? othersIn(inbound) : [];
    const terms = new Terms({ exchange, address, clock }, { caller, limiter, lease }, others);
    return {
      routed,
      terms,
      begin: (peer, sent) => this.#begin(peer, sent, { inbound, exchange, routed, terms, wanted }),
      discard() {
        routed.opened.answer.socket.terminate();
        routed.target.abandon(routed.ticket, clock.monotonic());
      },
    };
  }

  #begin(
    peer: Peer,
    sent: readonly string[],
    {
      inbound,
      exchange,
      routed,
      terms,
      wanted,
    }: {
      readonly inbound: Inbound;
      readonly exchange: Exchange;
      readonly routed: Routed<Begun>;
      readonly terms: Terms;
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
        permit: (models, text) => terms.permit(models, text),
        takePlace: (isMinor) => terms.takePlace(isMinor),
      },
    );
    sessions.add(session);
    session.begin(sent);
    return session;
  }
}
