import type { Abort } from '../../abort.ts';
import type { Limiter } from '../../limits/limiter.ts';
import type { Asking } from '../../limits/asking.ts';
import type { Requester } from '../admission.ts';
import type { Exchange } from '../record/exchange.ts';
import type { PassageDeps, Passed, Passing } from './passage.ts';
import type { TargetPool } from '../targets/target-pool.ts';
import { ProxyError } from '../../errors.ts';
import { Passage } from './passage.ts';

export interface PassthroughDeps extends PassageDeps {
  readonly limiter: Limiter;
  readonly pool: TargetPool;
}

/** The Retry-After when a provider's configured limit is reached, milliseconds. */
const FULL_MS = 1_000;

/** Passes a request and its response through, once; neither is parsed, except for usage. */
export class Passthrough {
  readonly #deps: PassthroughDeps;

  constructor(deps: PassthroughDeps) {
    this.#deps = deps;
  }

  /**
   * The exchange is finished when the answer has ended.
   * @throws ProxyError; the caller must finish the exchange then
   */
  async pass(passing: Passing, exchange: Exchange, requester: Requester, abort: Abort): Promise<Passed> {
    // Its usage cannot be estimated.
    await this.#admit(exchange, requester, {
      endpoint: 'passthrough',
      price: () => null,
      allPriced: () => false,
      untold: true,
    });
    return await this.#forward(passing, exchange, abort);
  }

  /** The same for what a provider has stored for the Responses API, which is free to read. */
  async read(passing: Passing, exchange: Exchange, requester: Requester, abort: Abort): Promise<Passed> {
    await this.#admit(exchange, requester, {
      endpoint: 'responses',
      price: () => 0,
      allPriced: () => true,
    });
    return await this.#forward(passing, exchange, abort);
  }

  async #forward(passing: Passing, exchange: Exchange, abort: Abort): Promise<Passed> {
    const { pool, clock } = this.#deps;
    const { provider } = passing;
    const place = pool.state(provider).roomFor(provider, '').take(clock.monotonic(), 0);
    if (!place) {
      const message = `Cannot pass the request on: ${provider.name} is at its limit (rate_limit, max_connections)`;
      throw new ProxyError('full', message, { retryAfterMs: FULL_MS });
    }
    exchange.finally(() => place.end(clock.monotonic(), 0));
    return await new Passage(passing, exchange, abort, this.#deps).run();
  }

  /** Charges it as a request. @throws ProxyError `over_limit`, `not_permitted` */
  async #admit(
    exchange: Exchange,
    { caller, user, address }: Requester,
    costs: Pick<Asking, 'endpoint' | 'price' | 'allPriced' | 'untold'>,
  ): Promise<void> {
    const nothing = { input: 0, output: 0, bounded: true };
    const { limiter } = this.#deps;
    const asking: Asking = {
      caller,
      ...costs,
      model: '',
      targets: [],
      user,
      address,
      expected: () => nothing,
    };
    const lease = await limiter.admitAfterAsking(asking);
    if (lease?.kind === 'instead') return lease.refuse();
    exchange.admitted(lease, () => nothing);
    if (lease) exchange.limitHeaders = lease.headers(false);
  }
}
