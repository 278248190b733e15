import type { Clock } from '../../clock.ts';
import type { Lease } from '../../limits/lease.ts';
import type { Limiter, Until } from '../../limits/limiter.ts';
import type { Marks } from '../../limits/asking.ts';
import type { Requester } from '../admission.ts';
import type { Exchange } from '../record/exchange.ts';
import { MAX_TRIES } from '../../limits/limiter.ts';
import { atOnce } from '../../turns.ts';
import { MAX_OTHERS, refuseOthers, refuseTwice, tooManyOthers } from '../admission.ts';

/** Who holds a session, and the limits that count it. */
export interface Holder {
  readonly caller: Requester['caller'];
  readonly limiter: Limiter;
}

interface TermsDeps {
  readonly exchange: Exchange;
  readonly address: Requester['address'];
  readonly clock: Clock;
}

/** How often a place is asked for because of minor messages, milliseconds. */
const PLACE_MS = 1_000;

/**
 * What applies to a session: its caller under the present configuration, and the limits on the models that it has named.
 */
export class Terms {
  readonly #deps: TermsDeps;
  #holder: Holder;
  /** What it holds of its limits. */
  #lease: Lease | undefined;
  /** The models that it has named besides its own. */
  #others: ReadonlySet<string>;
  #triesAtMs = -Infinity;

  /**
   * @param holder.lease what it holds since its admission
   * @param others the models that its first message has named
   */
  constructor(
    deps: TermsDeps,
    { caller, limiter, lease }: Holder & { readonly lease: Lease | undefined },
    others: readonly string[],
  ) {
    this.#deps = deps;
    this.#holder = { caller, limiter };
    this.#lease = lease;
    this.#others = new Set(others);
  }

  /**
   * Another configuration applies from now on. A session that finds no place under its limits on concurrency goes on
   * without one: it is open, but must not make the model work.
   */
  change(holder: Holder): void {
    if (this.#deps.exchange.over) return;
    this.#holder = holder;
    this.#move(holder.limiter.carry(this.#marks(this.#others), { lease: this.#lease }));
    void this.takePlace(false);
  }

  /**
   * Checks the models that a message names, by the lists of the caller. Limits on them count the session from now on.
   * @param models finds them @param text the message, JSON
   * @returns what to wait for, if limits are counted elsewhere; it rejects with what would be thrown
   * @throws ProxyError `not_permitted`, `over_limit`, `over_budget`; `invalid_request` if it is not certain which they
   * are, or they are too many
   */
  permit(models: () => readonly string[], text: string): Promise<void> | undefined {
    const { caller, limiter } = this.#holder;
    const isCounted = limiter.looksAtModels(caller);
    if (!caller.access.narrowsModels && !isCounted) return undefined;
    const { target, requested } = this.#deps.exchange;
    const named = models().filter((name) => name !== target!.model && name !== requested.model);
    const rest = refuseTwice(text);
    if (rest) atOnce(rest);
    refuseOthers(named, [target!.provider.name], caller);
    const others = new Set([...this.#others, ...named]);
    if (others.size === this.#others.size) return undefined;
    if (others.size > MAX_OTHERS) throw tooManyOthers();
    const ask = (tries: number) =>
      this.#holder.limiter.askToCarry(this.#marks(others), tries, this.#untilNow());
    const wait = isCounted ? ask(0) : undefined;
    if (wait) return afterAsking(wait, ask, () => this.#count(others));
    this.#count(others);
    return undefined;
  }

  /**
   * Takes the places that it lacks under limits on concurrency, if there is room.
   * @param isMinor whether a message of which there are many needs it
   * @returns what to wait for, if they are counted elsewhere; it never rejects
   */
  takePlace(isMinor: boolean): Promise<void> | undefined {
    const lease = this.#lease;
    if (!lease?.lacksPlace || lease.takePlaces() === undefined) return undefined;
    const nowMs = this.#deps.clock.monotonic();
    if (isMinor && nowMs < this.#triesAtMs) return undefined;
    this.#triesAtMs = nowMs + PLACE_MS;
    const ask = (tries: number) => lease.askForPlaces(tries);
    const wait = ask(0);
    return wait && afterAsking(wait, ask, () => void lease.takePlaces());
  }

  /** @throws ProxyError `over_limit`, `over_budget` if a limit that applies now has no room */
  #count(others: ReadonlySet<string>): void {
    // Nothing would release what it took after its end.
    if (this.#deps.exchange.over) return;
    this.#move(this.#holder.limiter.carry(this.#marks(others), this.#untilNow()));
    this.#others = others;
  }

  #move(lease: Lease | undefined): void {
    this.#deps.exchange.moves(lease);
    this.#lease = lease;
  }

  #untilNow(): Until {
    return { lease: this.#lease, marks: this.#marks(this.#others) };
  }

  #marks(others: ReadonlySet<string>): Marks & Pick<Requester, 'address'> {
    const { endpoint, requested, targetNames } = this.#deps.exchange;
    return {
      caller: this.#holder.caller,
      endpoint,
      model: requested.model,
      targets: targetNames,
      others: () => [...others],
      user: null,
      address: this.#deps.address,
    };
  }
}

/** Asks until there is room or no chance of it, and acts in the same step, so that nobody else is faster. */
async function afterAsking(
  wait: Promise<boolean>,
  ask: (tries: number) => Promise<boolean> | undefined,
  act: () => void,
): Promise<void> {
  let next: Promise<boolean> | undefined = wait;
  for (let tries = 1; next && (await next) && tries < MAX_TRIES; tries += 1) next = ask(tries);
  act();
}
