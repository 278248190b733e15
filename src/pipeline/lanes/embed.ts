import type { EmbeddingProtocolName } from '../../wire/embeddings.ts';
import type { EmbeddingClient } from '../../wire/embeddings.ts';
import type { AnswerKind } from '../../wire/shapes/answers.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { decodeBedrockEmbeddings, encodeBedrockEmbeddings } from '../../wire/bedrock/embeddings.ts';
import { embeddingClientOf } from '../../wire/clients.ts';
import { decodeCohereEmbeddings, encodeCohereEmbeddings } from '../../wire/cohere/embeddings.ts';
import {
  decodeGeminiEmbeddings,
  decodeVertexEmbeddings,
  encodeGeminiEmbeddings,
  encodeVertexEmbeddings,
} from '../../wire/gemini/embeddings.ts';
import { applyOverride } from '../../wire/facts/override.ts';
import { foreignHeaders } from '../../wire/headers.ts';
import { isObject, listOf, objectOf } from '../../wire/json.ts';
import { inNumbers } from '../../wire/openai/embeddings.ts';
import { openaiUsage } from '../../wire/usage.ts';
import { passingOf } from '../passing.ts';
import { Tap } from '../tap.ts';
import { parseAnswer } from './answer.ts';
import { checkAnswer } from './check.ts';
import { judge } from './judge.ts';
import { NO_FOLD } from './no-fold.ts';

interface Embeddings {
  encode(request: JsonObject, model: string): { body: JsonObject; dropped: readonly string[] };
  decode(answer: JsonObject, model: string, format: 'float' | 'base64'): JsonObject;
}

/** The same, and what its answers are. */
interface Way extends Embeddings {
  readonly kind: AnswerKind;
}

/** How each protocol asks for embeddings and reads them. */
export const EMBEDDINGS: Readonly<Record<EmbeddingProtocolName, Embeddings>> = {
  gemini: { encode: encodeGeminiEmbeddings, decode: decodeGeminiEmbeddings },
  vertex: { encode: encodeVertexEmbeddings, decode: decodeVertexEmbeddings },
  cohere: { encode: encodeCohereEmbeddings, decode: decodeCohereEmbeddings },
  bedrock: { encode: encodeBedrockEmbeddings, decode: decodeBedrockEmbeddings },
};

/** What only other ways to ask have a place for. */
const FOREIGN = ['task_type', 'input_type'] as const;

/** OpenAI's own way, for clients that ask otherwise. */
const OPENAIS_WAY: Way = {
  kind: 'embeddings',
  encode(request, model) {
    const body: JsonObject = { ...request, model, encoding_format: 'float' };
    for (const name of FOREIGN) delete body[name];
    return { body, dropped: request.task_type === undefined ? [] : ['taskType'] };
  },
  decode(answer) {
    // Some servers give base64 whatever they are asked for, and some a vector for each token.
    const numbers = inNumbers(answer) ?? answer;
    if (listOf(numbers.data).every((each) => isVector(objectOf(each).embedding))) return numbers;
    throw new ProxyError('malformed', 'Cannot read the answer: it holds no vectors');
  },
};

function isVector(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'number';
}

/** How a provider is asked. @throws ProxyError `unsupported` where it gives none */
function wayOf({ provider, model }: LaneContext): Way {
  const name = provider.embeddings(model);
  if (name) return { kind: `${name} embeddings`, ...EMBEDDINGS[name] };
  if (provider.relays('embeddings', model)) return OPENAIS_WAY;
  throw new ProxyError('unsupported', `Cannot embed with ${provider.name}/${model}: it gives none`);
}

/** Clients of OpenAI's embeddings ask in the words between the protocols. */
const OPENAIS_CLIENT: EmbeddingClient = {
  decode: (request) => ({ request, dropped: [], encode: (answer) => answer }),
};

/** Embeddings of a provider that is asked otherwise than its client asks. */
export const embed: Lane = {
  kind: 'translate',
  *prepare(inbound: Inbound, context: LaneContext): Steps<Prepared> {
    const { provider, model } = context;
    const client = (embeddingClientOf(inbound.endpoint) ?? OPENAIS_CLIENT).decode(inbound.json?.value ?? {});
    const { request } = client;
    yield;
    const { kind, encode, decode } = wayOf(context);
    const encoded = encode(request, model);
    const { override } = provider.quirks(model);
    const changed = override && applyOverride(encoded.body, override);
    const { body } = changed ?? encoded;
    const dropped = [...client.dropped, ...encoded.dropped, ...(changed?.dropped ?? [])];
    yield;
    return {
      endpoint: 'embeddings',
      body: yield* writeBody(body, inbound.bytes.length),
      contentType: 'application/json',
      headers: foreignHeaders(inbound.headers),
      dropped,
      *whole(text, target) {
        const value = yield* parseAnswer(text, target);
        if (!isObject(value)) {
          throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a JSON object`, {
            target,
          });
        }
        judge(value, target);
        checkAnswer(kind, value, target);
        const format = request.encoding_format === 'base64' ? 'base64' : 'float';
        yield;
        const answer = decode(value, model, format);
        yield;
        const used = openaiUsage(answer.usage);
        // Any text has tokens: 0 stands for those of providers that count none.
        const usage = used?.input === 0 ? undefined : used;
        const told = client.encode(answer);
        yield;
        return { text: yield* writeBody(told, text.length), finish: null, usage };
      },
      tap: (maxBytes) => new Tap(passingOf('chat'), maxBytes, 1),
      fold: () => NO_FOLD,
    };
  },
};
