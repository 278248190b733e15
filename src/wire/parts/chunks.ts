import type { ChatChunk, ChatDelta, ChatResponse } from '../chat.ts';
import type { Part } from './part.ts';
import { chunkOf, usageChunks } from '../chunks.ts';
import { openaiUsage } from '../usage.ts';
import { partsOf, chatAudio } from './message.ts';

/** The chunks in which a whole canonical answer could have been streamed: its parts in order, one piece each. */
export function canonicalChunks(answer: ChatResponse): ChatChunk[] {
  const chunks = answer.choices.flatMap(({ index, message, logprobs, finish_reason, ...more }) => {
    let calls = 0;
    let left = logprobs;
    const deltaChunks = partsOf(message).flatMap((part) => {
      const deltas = deltasOf(part, part.type === 'call' ? calls++ : 0);
      return deltas.map((delta) => {
        const beside = delta.content === undefined ? null : left;
        if (delta.content !== undefined) left = null;
        return chunkOf(answer, delta, { index, logprobs: beside });
      });
    });
    const finish = finish_reason ?? (calls > 0 ? 'tool_calls' : 'stop');
    return [
      chunkOf(answer, { role: 'assistant', content: '' }, { index }),
      ...deltaChunks,
      chunkOf(answer, {}, { index, finish, logprobs: left, more }),
    ];
  });
  return [...chunks, ...usageChunks(answer, openaiUsage(answer.usage))];
}

/** @param index of a call */
function deltasOf(part: Part, index: number): ChatDelta[] {
  switch (part.type) {
    case 'text': {
      const { text, annotations, extra_content: extra } = part;
      const notes = annotations && annotations.length > 0 ? [{ annotations }] : [];
      const more = extra === undefined ? {} : { extra_content: extra };
      return [...(text === '' && extra === undefined ? [] : [{ content: text, ...more }]), ...notes];
    }
    case 'thinking':
      return [
        {
          ...(part.text === '' ? {} : { reasoning_content: part.text }),
          ...(part.seal ? { thinking_blocks: [part.seal] } : {}),
        },
      ];
    case 'refusal':
      return [{ refusal: part.text }];
    case 'audio':
      return [{ audio: chatAudio(part) }];
    case 'call': {
      const { type: _, ...call } = part.call;
      return [{ tool_calls: [{ ...call, index, type: 'function' }] }];
    }
    default:
      return [{ parts: [part] }];
  }
}
