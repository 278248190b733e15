import type { ChatChunk, ChatResponse } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import type {
  ChatReader,
  ChatWriter,
  Encoded,
  Framing,
  ProtocolName,
  ProviderProtocol,
} from '../../wire/protocol.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Fold, Lane, LaneContext, Prepared, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { anthropicProtocol } from '../../wire/anthropic/protocol.ts';
import { converseProtocol } from '../../wire/bedrock/protocol.ts';
import { classifyBody, tellable } from '../../wire/classify.ts';
import { clientOf } from '../../wire/clients.ts';
import { cohereProtocol } from '../../wire/cohere/protocol.ts';
import { geminiProtocol } from '../../wire/gemini/protocol.ts';
import { foreignHeaders } from '../../wire/headers.ts';
import { isObject, numberOf } from '../../wire/json.ts';
import { chunksOf } from '../../wire/openai/chunks.ts';
import { chatProtocol } from '../../wire/openai/protocol.ts';
import { responsesProtocol } from '../../wire/responses/protocol.ts';
import { openaiUsage } from '../../wire/usage.ts';
import { passingOf } from '../passing.ts';
import { Tap } from '../tap.ts';
import { parseAnswer, writeAnswer } from './answer.ts';
import { judge } from './judge.ts';

/** How each protocol asks and reads. */
export const PROTOCOLS: Readonly<Record<ProtocolName, ProviderProtocol>> = {
  chat: chatProtocol,
  messages: anthropicProtocol,
  responses: responsesProtocol,
  gemini: geminiProtocol,
  converse: converseProtocol,
  cohere: cohereProtocol,
};

/** A client of one protocol to a provider of another, through the canonical form. */
export const translate: Lane = {
  kind: 'translate',
  *prepare(inbound: Inbound, { provider, model, nowMs, newId, memory }: LaneContext): Steps<Prepared> {
    const created = Math.floor(nowMs / 1000);
    const client = clientOf(inbound.endpoint).decode(inbound.json?.value ?? {}, { created, newId, memory });
    yield;
    const protocol = PROTOCOLS[provider.protocol(model)];
    const quirks = provider.quirks(model);
    const encoded = protocol.encode(client.request, { model, quirks, created, newId, memory });
    yield;
    const body = JSON.stringify(encoded.body);
    return {
      endpoint: 'chat',
      body,
      contentType: 'application/json',
      headers: foreignHeaders(inbound.headers),
      dropped: [...client.dropped, ...encoded.dropped],
      *whole(text, target): Steps<WholeAnswer> {
        const answer = yield* readWhole(text, target, encoded);
        yield;
        const finish = answer.choices[0]?.finish_reason ?? null;
        const written = client.encode(answer);
        return { text: yield* writeAnswer(written, text), finish, usage: openaiUsage(answer.usage) };
      },
      *wholeAsStream(text, target) {
        const writer = client.stream();
        const chunks = chunksOf({ ...(yield* readWhole(text, target, encoded)) }) as unknown as ChatChunk[];
        return chunks.map((chunk) => writer.push(chunk)).join('') + writer.end();
      },
      tap: (maxBytes) =>
        new Tap(passingOf('chat'), maxBytes, numberOf(client.request.n) ?? 1, (answer) =>
          client.encode(answer as unknown as ChatResponse),
        ),
      fold: (tap, target) =>
        new TranslateFold(tap, target, {
          framing: protocol.framing(),
          reader: encoded.stream(),
          writer: client.stream(),
        }),
    };
  },
};

function* readWhole(text: string, target: string, encoded: Encoded): Steps<ChatResponse> {
  const value = yield* parseAnswer(text, target);
  const body = Array.isArray(value) ? (value[0] as unknown) : value;
  if (!isObject(body)) {
    throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a JSON object`, {
      target,
    });
  }
  judge(body, target);
  return encoded.decode(body);
}

interface Parts {
  readonly framing: Framing;
  readonly reader: ChatReader;
  readonly writer: ChatWriter;
}

/** A provider's events in, the client's events out. */
class TranslateFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #parts: Parts;
  readonly #encoder = new TextEncoder();

  constructor(tap: Tap, target: string, parts: Parts) {
    this.#tap = tap;
    this.#target = target;
    this.#parts = parts;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    return this.#read(this.#parts.framing.push(bytes), false);
  }

  end(): Uint8Array | undefined {
    return this.#read(this.#parts.framing.end(), true);
  }

  #read(events: readonly SseEvent[], ended: boolean): Uint8Array | undefined {
    const { reader, writer } = this.#parts;
    let text = '';
    for (const event of events) {
      text += this.#write(reader.push(event));
      if (reader.error) break;
    }
    if (ended && !reader.error) text += this.#write(reader.end());
    this.#tap.malformed = reader.malformed;
    this.#tap.early = reader.usage;
    this.#tap.error ??= this.#error(reader.error);
    const complete = reader.done || (ended && this.#tap.finished);
    if (complete && !this.#tap.done && !this.#tap.error) {
      this.#tap.done = true;
      text += this.#counted(writer.end());
    }
    return text === '' ? undefined : this.#encoder.encode(text);
  }

  #write(chunks: readonly ChatChunk[]): string {
    let text = '';
    for (const chunk of chunks) {
      const written = this.#parts.writer.push(chunk);
      this.#tap.chunk(chunk, written.length || 1);
      text += this.#counted(written);
    }
    return text;
  }

  /** Events end in a blank line, and hold none. */
  #counted(text: string): string {
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n', at + 2)) this.#tap.sent += 1;
    return text;
  }

  #error(event: JsonObject | undefined): ProxyError | undefined {
    const found = event && classifyBody(event);
    if (!found) return undefined;
    const target = this.#target;
    return new ProxyError(found.fault, `Cannot complete the answer of ${target}: ${tellable(found)}`, {
      target,
      upstream: found.upstream,
    });
  }
}
