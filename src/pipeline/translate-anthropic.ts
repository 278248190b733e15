import type { AnthropicStream } from '../wire/anthropic/stream.ts';
import type { ChatChunk, ChatRequest } from '../wire/chat.ts';
import type { Inbound } from './inbound.ts';
import type { Fold, Lane, Prepared, WholeAnswer } from './lane.ts';
import type { Tap } from './tap.ts';
import { ProxyError } from '../errors.ts';
import { encodeAnthropicRequest } from '../wire/anthropic/request.ts';
import { anthropicUsage, decodeAnthropicResponse } from '../wire/anthropic/response.ts';
import { anthropicStream, step, stop } from '../wire/anthropic/stream.ts';
import { classifyBody } from '../wire/classify.ts';
import { joined } from '../wire/frames.ts';
import { isObject, parseJson } from '../wire/json.ts';
import { SseReader } from '../wire/sse.ts';
import { judge } from './judge.ts';

/** OpenAI chat clients to Anthropic's Messages and back. */
export const translateAnthropic: Lane = {
  kind: 'translate',
  prepare({ json, headers }: Inbound, model: string, nowMs: number): Prepared {
    const request = (json?.value ?? {}) as unknown as ChatRequest;
    const { body, dropped, structuredTool } = encodeAnthropicRequest(request, model);
    const created = Math.floor(nowMs / 1000);
    const includeUsage = request.stream_options?.include_usage === true;
    // What is translated must be read: it travels uncompressed.
    const { 'accept-encoding': _, ...travelling } = headers;
    return {
      body: JSON.stringify(body),
      contentType: 'application/json',
      headers: travelling,
      dropped,
      whole: (text, target) => readWhole(text, target, { created, structuredTool }),
      fold: (tap, target) =>
        new TranslateFold(tap, target, anthropicStream({ created, includeUsage, structuredTool })),
    };
  },
};

function readWhole(
  text: string,
  target: string,
  options: { created: number; structuredTool: string | undefined },
): WholeAnswer {
  const value = parseJson(text);
  if (isObject(value)) judge(value, target);
  if (!isObject(value) || !Array.isArray(value.content)) {
    const message = `Cannot use the answer of ${target}: it is not a message`;
    throw new ProxyError('malformed', message, { target });
  }
  const response = decodeAnthropicResponse(value, options);
  return {
    text: JSON.stringify(response),
    finish: response.choices[0]?.finish_reason ?? null,
    usage: anthropicUsage(value.usage),
  };
}

/** Anthropic events in, OpenAI chunks out. */
class TranslateFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #stream: AnthropicStream;
  readonly #events = new SseReader();
  readonly #encoder = new TextEncoder();

  constructor(tap: Tap, target: string, stream: AnthropicStream) {
    this.#tap = tap;
    this.#target = target;
    this.#stream = stream;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    return this.#translate(this.#events.push(bytes));
  }

  end(): Uint8Array | undefined {
    const rest = this.#translate(this.#events.end());
    if (this.#stream.finish === undefined || this.#tap.done) return rest;
    return joined(rest, this.#encode(stop(this.#stream)) ?? new Uint8Array());
  }

  #translate(events: ReturnType<SseReader['push']>): Uint8Array | undefined {
    return this.#encode(events.flatMap((event) => step(this.#stream, event)));
  }

  #encode(chunks: readonly ChatChunk[]): Uint8Array | undefined {
    const stream = this.#stream;
    let text = '';
    for (const chunk of chunks) {
      const data = JSON.stringify(chunk);
      this.#tap.chunk(chunk, data.length);
      text += `data: ${data}\n\n`;
    }
    this.#tap.malformed = stream.malformed;
    this.#tap.hiddenUsage = stream.usage;
    this.#tap.error ??= this.#error();
    if (stream.finished && !this.#tap.done) {
      this.#tap.done = true;
      text += 'data: [DONE]\n\n';
    }
    return text === '' ? undefined : this.#encoder.encode(text);
  }

  #error(): ProxyError | undefined {
    const found = this.#stream.error && classifyBody(this.#stream.error);
    if (!found) return undefined;
    const target = this.#target;
    return new ProxyError(found.fault, `Cannot complete the answer of ${target}: ${found.upstream.message}`, {
      target,
      upstream: found.upstream,
    });
  }
}
