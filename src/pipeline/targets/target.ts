import type { ProxyError } from '../../errors.ts';
import type { Fault, FaultRule, Scope } from '../../faults.ts';
import type { Expected } from '../../limits/asking.ts';
import type { Place, Room } from '../../limits/limits.ts';
import type { UsageAsking } from '../../providers/usage-asking.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { ReportedLimit } from '../../wire/rate-limits.ts';
import type { Usage } from '../../wire/usage.ts';
import type { CooldownTicket } from './cooldown.ts';
import type { Caller } from './failing-callers.ts';
import type { Held } from './held.ts';
import type { ProviderState, StatePolicy } from './provider-state.ts';
import type { KeyTicket } from './target-keys.ts';
import { usageAsking } from '../../providers/usage-asking.ts';
import { tokensIn } from '../../wire/usage.ts';
import { Breaker } from './breaker.ts';
import { EndpointState } from './endpoint-state.ts';
import { HealthWindow } from './health.ts';
import { heldBy, nearest, usedUp } from './held.ts';
import { MIN_SAMPLES, Samples } from './samples.ts';
import { TargetKeys } from './target-keys.ts';

/** The properties of a request that matter to targets. */
export interface Call {
  /** The endpoint of the target: the client's, and whether it is streamed. */
  readonly endpoint: string;
  /** The number of requests to the target; 1 by default. */
  readonly requests?: ((target: Pick<Target, 'provider' | 'model'>) => number) | undefined;
  /** Whether it generates text; true by default. */
  readonly isTalk?: boolean;
  /** Who makes it; omitted or `null` if callers cannot be told apart. */
  readonly caller?: Caller | undefined;
  /** The same when it is repeated, different for different requests. */
  readonly fingerprint: () => string;
  /** The length of its body. */
  readonly bytes: number;
  /** Its estimated tokens; computed on first use. */
  readonly need: () => Pick<Expected, 'input' | 'output'>;
}

/** A call's ticket at a target; settled exactly once. */
export interface Ticket {
  readonly call: Call;
  /** Its room within the limits. */
  readonly place: Place | undefined;
  readonly key: KeyTicket;
  readonly endpoint: CooldownTicket;
  provider: CooldownTicket;
  target: CooldownTicket;
  /** The tokens that its answer has reported, input and output. */
  tokens: number | undefined;
  settled: boolean;
}

/** A target that takes this many times the p95 of its answers is out of order rather than slow. */
const SLOW_FACTOR = 3;
const SLOW_AT_LEAST_MS = 10_000;

/** Faults that do not count against a provider: it never received the whole request. */
const NOT_SENT: ReadonlySet<Fault> = new Set([
  'unreachable',
  'timeout_connect',
  'stale_connection',
  'unsupported',
]);

/** A provider and one of its models: what a request is sent to, and its state. */
export class Target {
  /** "provider/model" */
  readonly id: string;
  readonly model: string;
  readonly state: ProviderState;
  readonly breaker: Breaker;
  readonly health: HealthWindow;
  /** Milliseconds from sending to the first content of a stream. */
  readonly firstContent = new Samples();
  provider: BaseProvider;
  #room: Room;
  /** Learned from the target: it cannot continue from a prefix of its answer. */
  refusesPrefill = false;
  /** Learned from the target: it rejects the field that requests the usage of a stream. */
  refusesUsageRequest = false;
  /** Learned from the target: it rejects calls without Google's signatures. */
  demandsSignatures = false;
  readonly #policy: StatePolicy;
  readonly #random: () => number;
  readonly #keys: TargetKeys;
  readonly #endpoints = new Map<string, EndpointState>();

  /** @param parts.random uniform in [0, 1) */
  constructor(
    provider: BaseProvider,
    model: string,
    state: ProviderState,
    { policy, random }: { policy: StatePolicy; random: () => number },
  ) {
    this.id = `${provider.name}/${model}`;
    this.provider = provider;
    this.model = model;
    this.state = state;
    this.#room = state.roomFor(provider, model);
    this.breaker = new Breaker(policy.breaker, random, policy.watch?.({ scope: 'target', name: this.id }));
    this.health = new HealthWindow(policy.health);
    this.#policy = policy;
    this.#random = random;
    this.#keys = new TargetKeys(
      state,
      policy.breaker,
      random,
      policy.watch && ((key, keys) => policy.watch!({ scope: 'limit', name: this.id, key, keys })),
    );
  }

  /** Whether usage is requested for a stream whose client did not. */
  get usageAsking(): UsageAsking {
    return this.refusesUsageRequest ? 'never' : usageAsking(this.provider, this.model);
  }

  /**
   * When a call may be sent, on the monotonic clock: 0 for now.
   * @param again the request that was just refused here retries after its own backoff
   */
  readyAt(call: Call, nowMs: number, again = false): number {
    const { caller } = call;
    return Math.max(
      this.#roomAt(call, nowMs),
      this.state.breaker.cooldown.readyAt(nowMs),
      this.breaker.cooldown.readyAt(nowMs, false, caller),
      this.#endpoints.get(call.endpoint)?.cooldown.readyAt(nowMs, false, caller) ?? 0,
      this.#keys.readyAt(call, nowMs, again),
    );
  }

  /** When the limits have room for it, on the monotonic clock: 0 for now. */
  #roomAt(call: Call, nowMs: number): number {
    return this.#room.readyAt(nowMs, this.#tokensOf(call), this.#requestsOf(call));
  }

  #requestsOf({ requests }: Call): number {
    return requests ? requests(this) : 1;
  }

  #tokensOf(call: Call): number {
    if (!this.#room.countsTokens) return 0;
    const { input, output } = call.need();
    return input + output;
  }

  /** The same when there is no better choice. @param alone one call at a time, with a pause between two */
  lastResortAt(call: Call, nowMs: number, alone: boolean): number {
    const { caller } = call;
    return Math.max(
      this.#roomAt(call, nowMs),
      this.state.breaker.cooldown.lastResortAt(nowMs, alone),
      this.breaker.cooldown.lastResortAt(nowMs, alone, caller),
      this.#endpoints.get(call.endpoint)?.cooldown.lastResortAt(nowMs, alone, caller) ?? 0,
      this.#keys.lastResortAt(call, nowMs, alone),
    );
  }

  /** What keeps a call back, the largest scope first; empty when it may be sent, or only lacks room. */
  held(call: Call, nowMs: number): Held[] {
    const { endpoint, caller } = call;
    const ofKeys = [...this.#keys.cooldowns()].map(({ key, refusal, limit, reported }) => [
      ...heldBy(refusal, nowMs, { scope: 'key', key }),
      ...heldBy(limit, nowMs, { scope: 'key', key }),
      ...usedUp(reported, this, { key, call, nowMs }),
    ]);
    return [
      ...heldBy(this.state.breaker.cooldown, nowMs, { scope: 'provider' }),
      ...nearest(ofKeys, nowMs),
      ...heldBy(this.breaker.cooldown, nowMs, { scope: 'target' }, caller),
      ...heldBy(this.#endpoints.get(endpoint)?.cooldown, nowMs, { scope: 'endpoint', endpoint }, caller),
    ];
  }

  /** Everything that is on hold at this target only. */
  holds(nowMs: number): Held[] {
    const limits = [...this.#keys.cooldowns()].flatMap(({ key, limit, reported }) => [
      ...heldBy(limit, nowMs, { scope: 'key', key }),
      ...usedUp(reported, this, { key, call: undefined, nowMs }),
    ]);
    const endpoints = [...this.#endpoints].flatMap(([endpoint, { cooldown }]) =>
      heldBy(cooldown, nowMs, { scope: 'endpoint', endpoint }),
    );
    return [...heldBy(this.breaker.cooldown, nowMs, { scope: 'target' }), ...limits, ...endpoints];
  }

  /** The configured limit that keeps a call back, in words; `undefined` if none does. */
  full(call: Call, nowMs: number): string | undefined {
    return this.#room.full(nowMs, this.#tokensOf(call), this.#requestsOf(call));
  }

  /** Takes the room for a call. @returns `undefined` if there is none; otherwise `begin` must follow */
  reserve(call: Call, nowMs: number): Place | undefined {
    return this.#room.take(nowMs, this.#tokensOf(call), this.#requestsOf(call));
  }

  /** @param place the result of `reserve` */
  begin(call: Call, nowMs: number, place?: Place): Ticket {
    const key = this.#keys.begin(call, nowMs);
    this.state.begin(key.key);
    return {
      call,
      place,
      key,
      endpoint: this.#endpoint(call).cooldown.begin(nowMs, call.caller),
      provider: this.state.breaker.begin(nowMs),
      target: this.breaker.begin(nowMs, call.caller),
      tokens: undefined,
      settled: false,
    };
  }

  /**
   * Sets the known tokens of the call.
   * @param written those of its answer, if they are not reported
   */
  used(ticket: Ticket, reported: Usage | undefined, written?: () => number): void {
    if (!this.#room.countsTokens) return;
    ticket.tokens = tokensIn(reported) ?? (written && ticket.call.need().input + written());
  }

  /** The response headers reported the state of the provider's own limits. */
  reported(ticket: Ticket, limits: readonly ReportedLimit[], nowMs: number): void {
    if (limits.length > 0) this.#keys.learn(ticket.key, limits, nowMs);
  }

  /** The answer has begun. @param tookMs from sending to the first content, for a stream */
  opened(ticket: Ticket, nowMs: number, tookMs: number | undefined): void {
    this.state.answeredMs = nowMs;
    ticket.provider = this.state.breaker.opened(ticket.provider, nowMs);
    ticket.target = this.breaker.opened(ticket.target, nowMs);
    this.#answered(ticket);
    if (tookMs !== undefined) this.firstContent.add(tookMs);
  }

  /** The call was answered completely. */
  succeed(ticket: Ticket, nowMs: number, latencyMs: number): void {
    if (!this.#settle(ticket, nowMs, ticket.tokens)) return;
    this.state.breaker.success(ticket.provider, nowMs);
    const { caller } = ticket.call;
    this.breaker.success(ticket.target, nowMs, caller);
    this.#answered(ticket);
    this.health.success(nowMs, latencyMs, caller);
    this.state.health.success(nowMs, latencyMs, caller);
  }

  /** The call failed: the scope and the consequence are in the table of faults. */
  fail(ticket: Ticket, error: ProxyError, nowMs: number, epochMs: number): void {
    const unused = error.upstream !== undefined || NOT_SENT.has(error.fault);
    if (!this.#settle(ticket, nowMs, ticket.tokens ?? (unused ? 0 : undefined))) return;
    if (error.upstream) this.state.answeredMs = nowMs;
    const { blames, health } = ruleFor(error, ticket.call);
    const blamed = (scope: Scope) => health !== 'none' && blames === scope;
    if (blamed('provider')) this.state.breaker.failure(ticket.provider, error, nowMs);
    // Whatever the response says, the provider can be reached.
    else if (error.upstream) this.state.breaker.success(ticket.provider, nowMs);
    else this.state.breaker.neutral(ticket.provider);
    const { caller } = ticket.call;
    if (blamed('target')) this.breaker.failure(ticket.target, error, nowMs, caller);
    else this.breaker.neutral(ticket.target);
    const endpoint = this.#endpoint(ticket.call);
    if (!blamed('endpoint')) endpoint.cooldown.release(ticket.endpoint);
    else if (health === 'down') endpoint.cooldown.trip(ticket.endpoint, error, nowMs);
    else endpoint.refuse(ticket.endpoint, error, nowMs, { fingerprint: ticket.call.fingerprint(), caller });
    this.#keys.fail(ticket.key, error, nowMs);
    // A refusal by one endpoint does not affect health, nor does a rate limit.
    if (blamed('endpoint') || (health !== 'failure' && health !== 'down')) return;
    const last = { fault: error.fault, message: error.message, atMs: epochMs };
    this.health.failure(nowMs, last, caller);
    this.state.health.failure(nowMs, last, blamed('provider') ? null : caller);
  }

  /** The call ended without evidence about the target: the client disconnected. */
  abandon(ticket: Ticket, nowMs: number): void {
    if (!this.#settle(ticket, nowMs, ticket.tokens)) return;
    this.state.breaker.neutral(ticket.provider);
    this.breaker.neutral(ticket.target);
    this.#endpoint(ticket.call).cooldown.release(ticket.endpoint);
    this.#keys.release(ticket.key);
  }

  /** A new configuration: cooldowns end. An open breaker stays open, and its trial may be made at once. */
  renew(provider: BaseProvider): void {
    this.provider = provider;
    this.#room = this.state.roomFor(provider, this.model);
    this.#endpoints.clear();
    this.breaker.cooldown.revive();
  }

  /**
   * How long an answer may take before the target counts as out of order rather than slow, milliseconds; `undefined`
   * before enough answers are known.
   */
  patienceMs(stream: boolean): number | undefined {
    const samples = stream ? this.firstContent : this.health.latencies;
    const p95 = samples.count < MIN_SAMPLES ? null : samples.quantile(0.95);
    return p95 === null ? undefined : Math.max(SLOW_AT_LEAST_MS, p95 * SLOW_FACTOR);
  }

  #answered({ call, endpoint, key }: Ticket): void {
    this.#endpoint(call).succeed(endpoint);
    this.#keys.succeed(key);
  }

  #endpoint({ endpoint }: Call): EndpointState {
    let state = this.#endpoints.get(endpoint);
    if (!state) {
      const { breaker, watch } = this.#policy;
      const onHold = watch?.({ scope: 'endpoint', name: this.id, endpoint });
      this.#endpoints.set(endpoint, (state = new EndpointState(breaker, this.#random, onHold)));
    }
    return state;
  }

  /** @param tokens used by the call; `undefined` if unknown */
  #settle(ticket: Ticket, nowMs: number, tokens: number | undefined): boolean {
    if (ticket.settled) return false;
    ticket.settled = true;
    this.state.end();
    ticket.place?.end(nowMs, tokens);
    return true;
  }
}

/**
 * The consequences of an error. A chat model may have no embeddings: servers answer such requests with a 500, or with a
 * 200 and arbitrary content, which is no evidence about the chat model.
 */
function ruleFor({ fault, rule }: ProxyError, { isTalk = true }: Call): Pick<FaultRule, 'blames' | 'health'> {
  return !isTalk && OF_ENDPOINT.has(fault) ? { blames: 'endpoint', health: 'suspect' } : rule;
}

const OF_ENDPOINT: ReadonlySet<Fault> = new Set(['malformed', 'server']);
