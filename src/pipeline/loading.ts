import type { Prices } from '../providers/prices.ts';
import type { Metrics } from './metrics.ts';

/** What is loaded after the socket listens, so that start-up does not wait for it; requests do, once. */
export class Loading {
  readonly #prices: Prices;
  readonly #sources: ConstructorParameters<typeof Metrics>[0];
  #loaded: Promise<void> | undefined;
  metrics: Metrics | undefined;

  constructor(prices: Prices, sources: ConstructorParameters<typeof Metrics>[0]) {
    this.#prices = prices;
    this.#sources = sources;
  }

  load(): Promise<void> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** The load to wait for; `undefined` once it is done. */
  pending(): Promise<void> | undefined {
    return this.metrics ? undefined : this.load();
  }

  async forMetrics(): Promise<Metrics> {
    await this.load();
    return this.metrics!;
  }

  async #load(): Promise<void> {
    const [{ Metrics: Collected }] = await Promise.all([import('./metrics.ts'), this.#prices.load()]);
    this.metrics = new Collected(this.#sources);
  }
}
