import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import type { MessagePiece } from './client-pieces.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';

/** Which of the two endpoints. */
export type OllamaKind = 'chat' | 'generate';

/** The properties of a request that are needed to encode its answer. */
export interface AnswerOptions {
  readonly kind: OllamaKind;
  /** The client's name of the model. */
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Whether thoughts are shown. */
  readonly thoughts: boolean;
  readonly newId: () => string;
  /** Milliseconds since the request to the provider. */
  readonly elapsedMs: () => number;
}

/** A piece of an answer, or all of it. */
export function answerOf(
  { kind, model, created }: AnswerOptions,
  piece: MessagePiece,
  done: boolean,
): JsonObject & { done: boolean } {
  const { content = '', ...rest } = piece;
  const body =
    kind === 'chat' ? { message: { role: 'assistant', content, ...rest } } : { response: content, ...rest };
  return { model, created_at: new Date(created * 1000).toISOString(), ...body, done };
}

/** The time of the request and of the first content, milliseconds. */
export interface Timing {
  readonly begunMs: number | undefined;
  readonly endMs: number;
}

/** The final fields of an answer. Durations are nanoseconds; remote models are never loaded. */
export function endingOf(finish: string | null, usage: Usage | undefined, timing: Timing): JsonObject {
  // For an answer that arrived whole, the time of its first content is unknown.
  const { begunMs = 0, endMs } = timing;
  return {
    done_reason: reasonOf(finish),
    total_duration: nanoseconds(endMs),
    load_duration: 0,
    prompt_eval_count: usage?.input ?? 0,
    prompt_eval_duration: nanoseconds(begunMs),
    eval_count: usage?.output ?? 0,
    // Clients divide by it.
    eval_duration: Math.max(1, nanoseconds(endMs - begunMs)),
  };
}

/** Ollama reports calls with the reason stop, and has no reason for filtered content. */
function reasonOf(finish: string | null): string {
  return finish === null || finish === 'tool_calls' ? 'stop' : finish;
}

function nanoseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1e6));
}

/** Log probabilities; omitted if there are none. */
export function encodeLogprobs(logprobs: unknown): JsonObject {
  const tokens = listOf(objectOf(logprobs).content).filter(isObject);
  if (tokens.length === 0) return {};
  return {
    logprobs: tokens.map((token) => {
      const top = listOf(token.top_logprobs).map(tokenOf);
      return { ...tokenOf(token), ...(top.length > 0 ? { top_logprobs: top } : {}) };
    }),
  };
}

function tokenOf(value: unknown): JsonObject {
  const { token, logprob, bytes } = objectOf(value);
  return {
    token: stringOf(token) ?? '',
    logprob: numberOf(logprob) ?? 0,
    ...(Array.isArray(bytes) ? { bytes: bytes as unknown[] } : {}),
  };
}
