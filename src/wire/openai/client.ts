import type { ChatChunk, ChatRequest, ChatResponse } from '../chat.ts';
import type { ChatWriter, ClientProtocol } from '../protocol.ts';
import { openaiErrorBody } from './error.ts';

/** Clients of OpenAI's chat: the canonical form is theirs. */
export const chatClient: ClientProtocol = {
  decode(body) {
    const request = body as unknown as ChatRequest;
    const includeUsage = request.stream_options?.include_usage === true;
    return {
      request,
      dropped: [],
      encode: (answer: ChatResponse) => ({ ...answer }),
      stream: () => new ChunkWriter(includeUsage),
    };
  },
  errorBody: openaiErrorBody,
  errorEvent: (error, requestId) => `data: ${JSON.stringify(openaiErrorBody(error, requestId))}\n\n`,
};

/** Every chunk an event. The one with the usage goes to clients that asked for it. */
class ChunkWriter implements ChatWriter {
  readonly #includeUsage: boolean;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  push(chunk: ChatChunk): string {
    const { usage, ...rest } = chunk;
    if (!this.#includeUsage) return chunk.choices.length === 0 ? '' : event(rest);
    return event({ ...rest, usage: usage ?? null });
  }

  end(): string {
    return 'data: [DONE]\n\n';
  }
}

function event(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
