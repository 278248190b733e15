/** Converts the configuration to the settings of objects that outlive it. */
import type { Config } from '../config/schema.ts';
import type { StreamLimits } from '../pipeline/streams/stream-budget.ts';
import type { TargetPool } from '../pipeline/targets/target-pool.ts';
import type { BackgroundLimits } from '../server/responses/background.ts';

export function policyOf(config: Config): ConstructorParameters<typeof TargetPool>[0] {
  const { breaker, max_retry_after } = config.routing;
  // If only a longer first cooldown is configured, it also raises the maximum.
  const max_cooldown = Math.max(breaker.cooldown, breaker.max_cooldown);
  return { breaker: { ...breaker, max_cooldown, max_retry_after }, health: config.health };
}

export function backgroundLimits({ responses }: Config): BackgroundLimits {
  return { maxRunning: responses.max_background, maxQueued: responses.max_queued };
}

export function streamLimits({ limits }: Config): StreamLimits {
  return { unread: limits.max_unread, recording: limits.max_recording };
}
