import type { CountingName } from '../../providers/base.ts';
import type { ChatRequest } from '../../wire/chat.ts';
import type { EncodeContext, ProtocolName } from '../../wire/protocol.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Local, Prepared, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { encodeAnthropicCount } from '../../wire/anthropic/count.ts';
import { decodeConverseCount, encodeConverseCount } from '../../wire/bedrock/count.ts';
import { clientOf } from '../../wire/clients.ts';
import { decodeGeminiCount, encodeGeminiCount, encodeVertexCount } from '../../wire/gemini/count.ts';
import { details } from '../../wire/gemini/client-usage.ts';
import { foreignHeaders } from '../../wire/headers.ts';
import { readingFirst } from '../../wire/json-ahead.ts';
import { callInputsWithin, jsonWithinRequest } from '../../wire/json-within.ts';
import { writingFirst } from '../../wire/json-written.ts';
import { countOf, isObject, PIECE_BOUNDS } from '../../wire/json.ts';
import { countable } from '../../wire/tokens.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';
import { parseAnswer } from './answer.ts';
import { fit } from '../../wire/fit.ts';
import { issuedFor } from './issuer.ts';
import { judge } from './judge.ts';
import { NO_FOLD } from './no-fold.ts';

/** How a provider counts tokens, if it does. */
interface Counting {
  readonly endpoint: Endpoint;
  readonly protocol: ProtocolName;
  encode(request: ChatRequest, context: EncodeContext): JsonObject;
  decode(answer: JsonObject): number | undefined;
}

/** How each protocol counts tokens. */
export const COUNTING: Readonly<Record<CountingName, Counting>> = {
  messages: {
    endpoint: 'messages.count_tokens',
    protocol: 'messages',
    encode: encodeAnthropicCount,
    decode: ({ input_tokens }) => countOf(input_tokens),
  },
  gemini: {
    endpoint: 'messages.count_tokens',
    protocol: 'gemini',
    encode: encodeGeminiCount,
    decode: decodeGeminiCount,
  },
  vertex: {
    endpoint: 'messages.count_tokens',
    protocol: 'gemini',
    encode: encodeVertexCount,
    decode: decodeGeminiCount,
  },
  converse: {
    endpoint: 'messages.count_tokens',
    protocol: 'converse',
    encode: encodeConverseCount,
    decode: decodeConverseCount,
  },
};

/**
 * Counts the tokens of a request: the provider does if it can; otherwise they are counted here, in OpenAI's newest
 * vocabulary, which is exact for its models and an estimate for others.
 */
export const count: Lane = {
  kind: 'translate',
  *prepare(
    inbound: Inbound,
    { provider, model, nowMs, newId, memory }: LaneContext,
  ): Steps<Prepared | Local> {
    const created = Math.floor(nowMs / 1000);
    const value = inbound.json?.value ?? {};
    // Counting requests no answer, and therefore has no limit on its length.
    const client = yield* writingFirst(
      () => callInputsWithin(value),
      inbound.bytes.length,
      () =>
        clientOf(inbound.endpoint).decode(
          { ...(inbound.endpoint.startsWith('gemini') ? {} : { max_tokens: 1 }), ...value, stream: false },
          { created, newId, memory, requested: { model: inbound.model, stream: false } },
        ),
    );
    yield;
    const answer = (tokens: number) => JSON.stringify(answerOf(inbound.endpoint, tokens));
    const name = provider.counts(model);
    const counting = name && COUNTING[name];
    if (!counting) {
      const { texts, others } = countable(client.request);
      return { texts, local: (tokens) => answer(tokens + others) };
    }
    const quirks = provider.quirks(model);
    const issued = issuedFor(provider, model, { memory });
    // The request that would be sent is counted.
    const { protocol } = counting;
    const { request } = fit(client.request, { protocol, model, quirks, issued, memory });
    const context = { model, quirks, created, newId, memory: issued.view };
    const encoded = yield* readingFirst(jsonWithinRequest(request), PIECE_BOUNDS, () =>
      counting.encode(request, context),
    );
    return {
      endpoint: counting.endpoint,
      body: yield* writeBody(encoded),
      contentType: 'application/json',
      headers: foreignHeaders(inbound.headers),
      dropped: client.dropped,
      whole: (text, target) => countIn(text, target, counting.decode, answer),
      tap: (maxBytes) => new Tap(passingOf('chat'), maxBytes, 1),
      fold: () => NO_FOLD,
    };
  },
};

function* countIn(
  text: string,
  target: string,
  decode: Counting['decode'],
  answer: (tokens: number) => string,
): Steps<WholeAnswer> {
  const body = yield* parseAnswer(text, target);
  if (isObject(body)) judge(body, target);
  const tokens = isObject(body) ? decode(body) : undefined;
  if (tokens !== undefined) return { text: answer(tokens), finish: null, usage: undefined };
  throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a token count`, {
    target,
  });
}

function answerOf(endpoint: Endpoint, tokens: number): JsonObject {
  if (endpoint === 'gemini.count_tokens') {
    return { totalTokens: tokens, promptTokensDetails: details(tokens) };
  }
  return endpoint === 'messages.count_tokens'
    ? { input_tokens: tokens }
    : { object: 'response.input_tokens', input_tokens: tokens };
}
