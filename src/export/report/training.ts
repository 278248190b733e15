/** What training on a dataset would cost. */

export interface Training {
  readonly epochs: number;
  /** USD for a million trained tokens; the table below when left out. */
  readonly pricePerMillion?: number;
}

export interface TrainingCost {
  readonly trainer: string;
  readonly usd_per_million_tokens: number;
  readonly usd: number;
}

/**
 * List prices of supervised fine-tuning, USD for a million tokens and epoch, as found in 2026. They change: a price of
 * one's own is given with `--price-per-mtok`.
 */
const PRICES: readonly (readonly [trainer: string, usd: number])[] = [
  ['OpenAI gpt-4o', 25],
  ['OpenAI gpt-4o-mini', 3],
  ['Together LoRA up to 16B', 0.48],
  ['Together LoRA 17B to 69B', 1.5],
  ['Fireworks up to 16B', 0.5],
  ['Fireworks 16B to 80B', 3],
];

/** The cost at each trainer, or at the price that was given. */
export function trainingCosts(tokens: number, { epochs, pricePerMillion }: Training): TrainingCost[] {
  const prices = pricePerMillion === undefined ? PRICES : ([['your price', pricePerMillion]] as const);
  return prices.map(([trainer, usd]) => ({
    trainer,
    usd_per_million_tokens: usd,
    usd: Math.round(((tokens * epochs) / 1e6) * usd * 100) / 100,
  }));
}
