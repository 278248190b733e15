import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { finishReason } from '../endings.ts';
import { stringOf } from '../json.ts';
import { answerOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { readBlocks, refusalIn } from './parts.ts';
import { anthropicUsage } from './usage.ts';

/** The stop sequence of an answer, in the field that vLLM has beside the finish reason. */
export function stoppedBy(sequence: unknown): { stop_reason?: string } {
  return typeof sequence === 'string' ? { stop_reason: sequence } : {};
}

export interface ReadOptions {
  /** Seconds since the epoch, for `created`. */
  readonly created: number;
  readonly structuredTool?: string | undefined;
  /** A random id, if the answer has none. */
  readonly newId: () => string;
}

/** Decodes an unstreamed Messages answer. @throws ProxyError `malformed` */
export function decodeAnthropicResponse(
  body: JsonObject,
  { created, structuredTool, newId }: ReadOptions,
): ChatResponse {
  if (!Array.isArray(body.content))
    throw new ProxyError('malformed', 'Cannot read the answer: it is not a message');
  const list = new PartList();
  readBlocks(body.content, list, { structuredTool, newId });
  list.refusal(refusalIn(body));
  const message = answerOf(list.parts);
  const usage = anthropicUsage(body.usage);
  return {
    id: stringOf(body.id) || `msg_${newId()}`,
    object: 'chat.completion',
    created,
    model: stringOf(body.model) ?? '',
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: finishReason(
          'messages',
          body.stop_reason,
          structuredTool !== undefined && 'structured',
        ),
        ...stoppedBy(body.stop_sequence),
      },
    ],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}
