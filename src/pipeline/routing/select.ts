/** A candidate: lower tiers and priorities come first, weight decides between equals. */
export interface Choice {
  /** The position in an ordered route, from 0. */
  readonly tier: number;
  readonly priority: number;
  readonly weight: number;
}

/**
 * The order in which targets are tried: by tier, then priority; among equals a weighted shuffle, so that each comes
 * first in proportion to its weight.
 * @param random uniform in [0, 1)
 */
export function order<C extends Choice>(choices: readonly C[], random: () => number): C[] {
  if (choices.length < 2) return [...choices];
  // Efraimidis and Spirakis: sorting by u^(1/weight) draws without replacement in proportion to weight.
  return choices
    .map((choice) => ({ choice, draw: Math.log(1 - random()) / choice.weight }))
    .sort((a, b) => a.choice.tier - b.choice.tier || a.choice.priority - b.choice.priority || b.draw - a.draw)
    .map(({ choice }) => choice);
}
