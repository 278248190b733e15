/**
 * How, or where, an answer was computed, if that has a price of its own: `us` is inference within the United States, and
 * `optimized` Bedrock's inference with a low latency.
 */
export const SERVICE_TIERS = ['flex', 'priority', 'fast', 'ultrafast', 'optimized', 'us'] as const;

export type ServiceTier = (typeof SERVICE_TIERS)[number];
