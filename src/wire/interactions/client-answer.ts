import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { stringOf } from '../json.ts';
import { encodeInteractionUsage } from './usage.ts';
import { statusFor } from './status.ts';

/** The properties of a request that are needed to encode its answer. */
export interface AnswerOptions {
  /** The client's name of the model. */
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Whether the client requested thoughts. */
  readonly thoughts: boolean;
  readonly newId: () => string;
}

/** The fields that identify an interaction. */
export interface Head {
  readonly id: string;
  readonly model: string;
  readonly object: 'interaction';
  /** As in `2026-01-02T03:04:05Z`. */
  readonly created: string;
}

export function headOf(
  { id, model }: { readonly id?: unknown; readonly model?: unknown },
  options: AnswerOptions,
): Head {
  const own = (stringOf(id) ?? '').replace(/^chatcmpl-/, '');
  return {
    id: own || options.newId(),
    model: stringOf(model) || options.model,
    object: 'interaction',
    created: new Date(options.created * 1000).toISOString().replace('.000Z', 'Z'),
  };
}

/** The final fields of an interaction. @param finish in chat's words */
export function endingOf(finish: string | null, usage: Usage | undefined, { created }: Head): JsonObject {
  return { status: statusFor(finish), updated: created, usage: encodeInteractionUsage(usage) };
}
