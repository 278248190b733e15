import type { EmbeddingProtocolName } from '../../wire/embeddings.ts';
import type { EmbeddingClient } from '../../wire/embeddings.ts';
import { mostTexts } from '../../wire/embeddings.ts';
import type { AnswerKind } from '../../wire/shapes/answers.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared, WholeAnswer } from './lane.ts';
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
import { isObject, listOf, numberOf, objectOf } from '../../wire/json.ts';
import { inNumbers } from '../../wire/openai/embeddings.ts';
import { openaiUsage } from '../../wire/usage.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';
import { ANSWERS } from '../../providers/parts.ts';
import { parseAnswer } from './answer.ts';
import { checkAnswer } from './check.ts';
import { judge } from './judge.ts';
import { NO_FOLD } from './no-fold.ts';

interface Embeddings {
  encode(request: JsonObject, model: string): { body: JsonObject; dropped: readonly string[] };
  decode(answer: JsonObject, model: string, format: 'float' | 'base64'): JsonObject;
}

/** The same, with the decoder of its answers. */
interface Way extends Embeddings {
  readonly kind: AnswerKind;
  /** The largest number of texts per request. */
  readonly most: number;
}

/** How each protocol encodes and decodes embeddings. */
export const EMBEDDINGS: Readonly<Record<EmbeddingProtocolName, Embeddings>> = {
  gemini: { encode: encodeGeminiEmbeddings, decode: decodeGeminiEmbeddings },
  vertex: { encode: encodeVertexEmbeddings, decode: decodeVertexEmbeddings },
  cohere: { encode: encodeCohereEmbeddings, decode: decodeCohereEmbeddings },
  bedrock: { encode: encodeBedrockEmbeddings, decode: decodeBedrockEmbeddings },
};

/** Fields that only other formats have. */
const FOREIGN = ['task_type', 'input_type'] as const;

/** OpenAI's own format, for clients with another one. */
const OPENAIS_WAY: Way = {
  kind: 'embeddings',
  most: Infinity,
  encode(request, model) {
    const body: JsonObject = { ...request, model, encoding_format: 'float' };
    for (const name of FOREIGN) delete body[name];
    return { body, dropped: request.task_type === undefined ? [] : ['taskType'] };
  },
  decode(answer) {
    // Some servers return base64 whatever is requested, and some a vector per token.
    const numbers = inNumbers(answer) ?? answer;
    if (listOf(numbers.data).every((each) => isVector(objectOf(each).embedding))) return numbers;
    throw new ProxyError('malformed', 'Cannot read the answer: it contains no vectors');
  },
};

function isVector(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'number';
}

/** The provider's format. @throws ProxyError `unsupported` if it has no embeddings */
function wayOf({ provider, model }: LaneContext): Way {
  const name = provider.embeddings(model);
  if (name) return { kind: `${name} embeddings`, most: mostTexts(name, model), ...EMBEDDINGS[name] };
  if (provider.relays('embeddings', model)) return OPENAIS_WAY;
  throw new ProxyError('unsupported', `Cannot embed with ${provider.name}/${model}: it has no embeddings`);
}

/** The largest number of texts per call, as at OpenAI. */
const MAX_TEXTS = 2_048;

/** The request, or several if one cannot contain all texts. @throws ProxyError `invalid_request` for too many */
function inParts(request: JsonObject, most: number): JsonObject[] {
  const { input } = request;
  if (!Array.isArray(input) || input.length <= most) return [request];
  if (input.length > MAX_TEXTS) {
    const state = `${input.length} are too many, at most ${MAX_TEXTS} are allowed`;
    throw new ProxyError('invalid_request', `Cannot embed these texts: ${state}`, { param: 'input' });
  }
  const parts: JsonObject[] = [];
  for (let at = 0; at < input.length; at += most)
    parts.push({ ...request, input: input.slice(at, at + most) });
  return parts;
}

/** Combines several answers: vectors in order, and the sum of tokens. */
function joined(answers: readonly JsonObject[]): JsonObject {
  const [first = {}, ...others] = answers;
  if (others.length === 0) return first;
  const data = answers.flatMap((answer) => listOf(answer.data));
  const tokens = answers.map(({ usage }) => numberOf(objectOf(usage).prompt_tokens) ?? 0);
  const total = tokens.reduce((sum, count) => sum + count, 0);
  return {
    ...first,
    data: data.map((each, index) => ({ ...objectOf(each), index })),
    usage: { prompt_tokens: total, total_tokens: total },
  };
}

/** OpenAI's format is the canonical form of embeddings. */
const OPENAIS_CLIENT: EmbeddingClient = {
  decode: (request) => ({ request, dropped: [], encode: (answer) => answer }),
};

/** What is known of a request when its answer is there. */
interface Embedding {
  readonly client: ReturnType<EmbeddingClient['decode']>;
  readonly way: Way;
  readonly model: string;
  /** Whether it was sent in several parts, each of which has an answer. */
  readonly isSplit: boolean;
}

function* embeddedWhole(
  text: string,
  target: string,
  { client, way, model, isSplit }: Embedding,
): Steps<WholeAnswer> {
  const value = yield* parseAnswer(text, target);
  if (!isObject(value)) {
    throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a JSON object`, {
      target,
    });
  }
  const format = client.request.encoding_format === 'base64' ? 'base64' : 'float';
  const answers: JsonObject[] = [];
  for (const part of isSplit ? listOf(value[ANSWERS]).map(objectOf) : [value]) {
    judge(part, target);
    checkAnswer(way.kind, part, target);
    yield;
    answers.push(way.decode(part, model, format));
  }
  const answer = joined(answers);
  yield;
  const used = openaiUsage(answer.usage);
  // Every text has tokens: 0 comes from providers that do not count them.
  const usage = used?.input === 0 ? undefined : used;
  const total = client.encode(answer);
  yield;
  return { text: yield* writeBody(total), finish: null, usage };
}

/** Embeddings between a client and a provider with different formats. */
export const embed: Lane = {
  kind: 'translate',
  *prepare(inbound: Inbound, context: LaneContext): Steps<Prepared> {
    const { provider, model } = context;
    const client = (embeddingClientOf(inbound.endpoint) ?? OPENAIS_CLIENT).decode(inbound.json?.value ?? {});
    const { request } = client;
    yield;
    const way = wayOf(context);
    const { most, encode } = way;
    const { override } = provider.quirks(model);
    const dropped = new Set(client.dropped);
    const bodies: (string | Uint8Array<ArrayBuffer>)[] = [];
    for (const part of inParts(request, most)) {
      const encoded = encode(part, model);
      const changed = override && applyOverride(encoded.body, override);
      for (const name of [...encoded.dropped, ...(changed?.dropped ?? [])]) dropped.add(name);
      yield;
      bodies.push(yield* writeBody((changed ?? encoded).body));
    }
    const parts = bodies.length > 1 ? bodies : undefined;
    return {
      endpoint: 'embeddings',
      body: bodies[0]!,
      parts,
      contentType: 'application/json',
      headers: foreignHeaders(inbound.headers),
      dropped: [...dropped],
      whole: (text, target) =>
        embeddedWhole(text, target, { client, way, model, isSplit: parts !== undefined }),
      tap: (maxBytes) => new Tap(passingOf('chat'), maxBytes, 1),
      fold: () => NO_FOLD,
    };
  },
};
