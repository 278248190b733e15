import type { Clock } from '../../clock.ts';
import type { Fault } from '../../faults.ts';
import type { Transcript } from '../../wire/realtime/transcript.ts';
import type { Exchange } from '../record/exchange.ts';
import type { Routed } from '../routing/router.ts';
import type { Allowance } from './allowance.ts';
import type { Begun } from './attempt.ts';
import type { Counts } from './session.ts';
import { ProxyError } from '../../errors.ts';
import { plainUsage } from '../../wire/usage.ts';
import { CLOSE } from '../../wire/websocket/close.ts';

/** Who ended a session, and how. */
export interface End {
  readonly by: 'client' | 'provider' | 'proxy';
  readonly code: number;
  /** The error; omitted if there was none. */
  readonly error?: ProxyError | undefined;
  /** Whether it counts against the target. */
  readonly counts?: boolean;
}

export type Failed = End & { readonly error: ProxyError };

/** Close codes for a problem of the provider. */
const TROUBLES: readonly number[] = [CLOSE.internal, CLOSE.restarts, CLOSE.tryLater];
/** Close codes of a session that is complete. */
const CALM: readonly number[] = [CLOSE.normal, CLOSE.goingAway, CLOSE.none];

/** The client has closed the session. @param answering whether a response was in progress */
export function endOfClient(code: number, answering: boolean): End {
  if (code !== CLOSE.abnormal && !answering) return { by: 'client', code };
  const message = 'Cannot finish the session: the client closed the connection';
  return { by: 'client', code, error: new ProxyError('client_abort', message) };
}

/** The provider has closed the session. @param words its reason @param answering whether a response was in progress */
export function closedByProvider(target: string, code: number, words: string, answering: boolean): End {
  if (CALM.includes(code) && !answering) return { by: 'provider', code };
  const reason = words === '' ? '' : `: ${words}`;
  const error = cannotGoOn('truncated', target, `the provider closed it with ${code}${reason}`);
  return { by: 'provider', code, error, counts: TROUBLES.includes(code) };
}

/**
 * The connection to the provider was lost, or it violated the protocol. @param flaw the violation; omitted if there was
 * none
 */
export function cutByProvider(target: string, code: number, flaw: string | undefined): Failed {
  const error =
    flaw === undefined
      ? cannotGoOn('truncated', target, 'the provider closed the connection')
      : cannotGoOn('malformed', target, flaw);
  return { by: 'provider', code, error, counts: true };
}

/** The provider does not answer pings. */
export function endOfSilence(target: string): Failed {
  const error = cannotGoOn('timeout_idle', target, 'it does not answer pings');
  return { by: 'proxy', code: CLOSE.internal, error, counts: true };
}

function cannotGoOn(fault: Fault, target: string, state: string): ProxyError {
  return new ProxyError(fault, `Cannot continue the session of ${target}: ${state}`, { target });
}

/** The facts about a finished session. */
interface Ended {
  readonly clock: Clock;
  readonly allowance: Allowance;
  readonly transcript: Transcript;
  readonly counts: Counts;
  readonly answering: boolean;
  /** The number of bytes sent to the client. */
  readonly sent: number;
}

/** Reports the end of a session to its target, and makes its record. */
export function finishSession(end: End, routed: Routed<Begun>, exchange: Exchange, ended: Ended): void {
  const { clock, allowance, transcript, counts, answering, sent } = ended;
  const { target, ticket, beganMs } = routed;
  const { by, code, error } = end;
  const nowMs = clock.monotonic();
  target.used(ticket, allowance.usage);
  if (!error) target.succeed(ticket, nowMs, nowMs - beganMs);
  else if (end.counts) target.fail(ticket, error, nowMs, clock.now());
  else target.abandon(ticket, nowMs);
  exchange.received(counts.received);
  exchange.setRequest(transcript.request());
  // Without a response, nothing was used.
  const untold = counts.answers > 0 || answering ? undefined : plainUsage(0, 0);
  const left = error?.fault === 'client_abort' || error?.fault === 'client_stall';
  exchange.finish({
    outcome: !error ? 'success' : left ? 'client_abort' : 'truncated',
    status: 101,
    error,
    answer: {
      usage: allowance.usage ?? untold,
      finish: null,
      bytes: sent,
      text: () => transcript.response(),
      malformed: 0,
    },
    session: {
      closed_by: by,
      client_code: by === 'client' ? code : null,
      provider_code: by === 'provider' ? code : null,
      client_events: counts.client,
      provider_events: counts.provider,
      responses: counts.answers,
      refused: allowance.withheld,
    },
  });
}
