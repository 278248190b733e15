/** Estimates the cost of training on a dataset from a given price. */

export interface Training {
  readonly epochs: number;
  /** USD per million trained tokens; without it nothing is estimated. */
  readonly pricePerMillion?: number;
}

export interface TrainingCost {
  readonly usd_per_million_tokens: number;
  readonly usd: number;
}

/** The cost of training on this many tokens; `undefined` if no price was given. */
export function trainingCost(
  tokens: number,
  { epochs, pricePerMillion }: Training,
): TrainingCost | undefined {
  if (pricePerMillion === undefined) return undefined;
  const usd = Math.round(((tokens * epochs) / 1e6) * pricePerMillion * 100) / 100;
  return { usd_per_million_tokens: pricePerMillion, usd };
}
