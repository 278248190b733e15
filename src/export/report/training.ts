/** Estimates the cost of training on a dataset from a given price. */

export interface Training {
  readonly epochs: number;
  /** USD for a million trained tokens; nothing is estimated when left out. */
  readonly pricePerMillion?: number;
}

export interface TrainingCost {
  readonly usd_per_million_tokens: number;
  readonly usd: number;
}

/** The cost of training so many tokens; `undefined` where no price was given. */
export function trainingCost(
  tokens: number,
  { epochs, pricePerMillion }: Training,
): TrainingCost | undefined {
  if (pricePerMillion === undefined) return undefined;
  const usd = Math.round(((tokens * epochs) / 1e6) * pricePerMillion * 100) / 100;
  return { usd_per_million_tokens: pricePerMillion, usd };
}
