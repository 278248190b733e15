import type { ChatChunk, ChatMessage, ChatRequest, ChatResponse, ContentPart } from '../chat.ts';
import type { ChatWriter, ClientProtocol } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { openaiErrorBody } from './error.ts';
import { partsOf } from './response.ts';

/** Clients of OpenAI's chat: the canonical form is theirs. */
export const chatClient: ClientProtocol = {
  decode(body) {
    checkMessages(body.messages);
    const request = withReasoning(body as unknown as ChatRequest);
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

/** What every translation goes by; the rest each of them checks. @throws ProxyError `invalid_request` */
function checkMessages(messages: unknown): void {
  listOf(messages).forEach((message, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'expected an object');
    const { tool_calls: calls } = message;
    if (calls === undefined || calls === null) return;
    if (!Array.isArray(calls) || !calls.every(isObject)) {
      throw invalid(`${at}.tool_calls`, 'expected a list of calls');
    }
    const odd = calls.findIndex((call) => !isObject(call.function));
    if (odd < 0) return;
    const param = `${at}.tool_calls[${odd}]`;
    throw new ProxyError('unsupported', `Cannot translate ${param}: only calls of functions can be`, {
      param,
    });
  });
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}

/** Clients of Mistral give its reasoning back as parts of what was said. */
function withReasoning(request: ChatRequest): ChatRequest {
  const { messages } = request;
  const odd = Array.isArray(messages) && messages.some((message) => isThought(message));
  return odd ? { ...request, messages: messages.map(withoutThoughts) } : request;
}

function isThought(message: ChatMessage): boolean {
  return (
    message?.role === 'assistant' &&
    listOf(message.content).some((part) => objectOf(part).type === 'thinking')
  );
}

function withoutThoughts(message: ChatMessage): ChatMessage {
  if (!isThought(message)) return message;
  const { reasoning } = partsOf(message.content);
  const content = (message.content as ContentPart[]).filter((part) => part?.type !== 'thinking');
  return { ...message, content, reasoning_content: message.reasoning_content ?? reasoning };
}

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
