import type { Limiter, Marks } from '../../limits/limiter.ts';
import type { Requester } from '../admission.ts';
import type { Exchange } from '../record/exchange.ts';
import { atOnce } from '../../turns.ts';
import { MAX_OTHERS, refuseOthers, refuseTwice, tooManyOthers } from '../admission.ts';

/** Who holds a session, and the limits that count it. */
export interface Holder {
  readonly caller: Requester['caller'];
  readonly limiter: Limiter;
}

/**
 * What applies to a session: its caller under the present configuration, and the limits on the models that it has named.
 */
export class Terms {
  readonly #exchange: Exchange;
  readonly #address: Requester['address'];
  #holder: Holder;
  /** The models that it has named besides its own. */
  #others: ReadonlySet<string>;

  /** @param others the models that its first message has named */
  constructor(exchange: Exchange, address: Requester['address'], holder: Holder, others: readonly string[]) {
    this.#exchange = exchange;
    this.#address = address;
    this.#holder = holder;
    this.#others = new Set(others);
  }

  /** Another configuration applies from now on. */
  change(holder: Holder): void {
    this.#holder = holder;
    const move = () => {
      // It may have ended, or moved on.
      if (this.#exchange.over || this.#holder !== holder) return;
      this.#exchange.moves(holder.limiter.carry(this.#marks(this.#others)));
    };
    // A place that the session gets in any case is first asked for, so that nobody else takes it.
    const room = holder.limiter.askToCarry(this.#marks(this.#others));
    if (room) void room.then(move);
    else move();
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
    const { target, requested } = this.#exchange;
    const named = models().filter((name) => name !== target!.model && name !== requested.model);
    atOnce(refuseTwice(text));
    refuseOthers(named, [target!.provider.name], caller);
    const others = new Set([...this.#others, ...named]);
    if (others.size === this.#others.size) return undefined;
    if (others.size > MAX_OTHERS) throw tooManyOthers();
    const room = isCounted ? limiter.askToCarry(this.#marks(others)) : undefined;
    if (!room) return void this.#count(others);
    return room.then(() => this.#count(others));
  }

  /** @throws ProxyError `over_limit`, `over_budget` if a limit that applies now has no room */
  #count(others: ReadonlySet<string>): void {
    // Nothing would release what it took after its end.
    if (this.#exchange.over) return;
    this.#exchange.moves(this.#holder.limiter.carry(this.#marks(others), this.#marks(this.#others)));
    this.#others = others;
  }

  #marks(others: ReadonlySet<string>): Marks & Pick<Requester, 'address'> {
    const { endpoint, requested, targetNames } = this.#exchange;
    return {
      caller: this.#holder.caller,
      endpoint,
      model: requested.model,
      targets: targetNames,
      others: () => [...others],
      user: null,
      address: this.#address,
    };
  }
}
