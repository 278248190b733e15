import type { Lane } from './lane.ts';
import { relay } from './relay.ts';
import { translateAnthropic } from './translate-anthropic.ts';

/** The lane from OpenAI's protocol, which the clients speak, to a provider's. */
export function laneFor(provider: 'openai' | 'anthropic'): Lane {
  return provider === 'openai' ? relay : translateAnthropic;
}
