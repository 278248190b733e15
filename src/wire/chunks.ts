import type { ChatChunk, ChatDelta } from './chat.ts';
import type { Usage } from './usage.ts';
import { encodeOpenaiUsage } from './usage.ts';

/** Identifies the answer of a chunk. */
export type ChunkNaming = Pick<ChatChunk, 'id' | 'created' | 'model'>;

/** The fields of a chunk's choice besides the delta. */
export interface ChunkChoice {
  readonly index?: number;
  readonly finish?: string | null;
  readonly logprobs?: unknown;
  /** Vendor-specific fields. */
  readonly more?: object;
}

/** A chunk with one choice. */
export function chunkOf(
  naming: ChunkNaming,
  delta: ChatDelta,
  { index = 0, finish = null, logprobs = null, more }: ChunkChoice = {},
): ChatChunk {
  return chunk(naming, [{ index, delta, logprobs, finish_reason: finish, ...more }]);
}

/** The final chunk without choices, if the usage is known. */
export function usageChunks(naming: ChunkNaming, usage: Usage | undefined): ChatChunk[] {
  return usage ? [{ ...chunk(naming, []), usage: encodeOpenaiUsage(usage) }] : [];
}

function chunk({ id, created, model }: ChunkNaming, choices: ChatChunk['choices']): ChatChunk {
  return { id, object: 'chat.completion.chunk', created, model, choices };
}
