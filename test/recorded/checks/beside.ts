/** Recorded embeddings and token counts, as clients receive them. */
import type { Problem } from '../answers/compare.ts';
import type { Lab } from '../lab/lab.ts';
import type { VendorType } from '../lab/vendors.ts';
import type { Recorded } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import { textOf } from '../read/exchange.ts';
import { listOf, numberOf, objectOf, objectsOf, parseJson, shown } from '../read/json.ts';

interface Asked {
  readonly type: VendorType;
  readonly model: string;
}

const VECTORS: readonly (readonly [RegExp, Asked])[] = [
  [/:batchEmbedContents$/, { type: 'gemini', model: 'embedding' }],
  [/embedding[^/]*:predict$/, { type: 'vertex', model: 'text-embedding' }],
  [/\/v2\/embed$/, { type: 'cohere', model: 'embed' }],
  [/titan-embed[^/]*\/invoke$/, { type: 'bedrock', model: 'amazon.titan-embed-text-v2:0' }],
  [/cohere\.embed[^/]*\/invoke$/, { type: 'bedrock', model: 'cohere.embed-english-v3' }],
  [/\/v1\/embeddings$/, { type: 'openai-compatible', model: 'embedding' }],
];

const COUNTS: readonly (readonly [RegExp, Asked])[] = [
  [/\/v1\/messages\/count_tokens$/, { type: 'anthropic', model: 'm' }],
  [/:countTokens$/, { type: 'gemini', model: 'm' }],
  [/\/count-tokens$/, { type: 'bedrock', model: 'anthropic.claude-sonnet-4-20250514-v1:0' }],
];

function askedAs(table: readonly (readonly [RegExp, Asked])[], { url }: Recorded): Asked | undefined {
  const path = decodeURIComponent(url.replace(/[?#].*$/, ''));
  return table.find(([pattern]) => pattern.test(path))?.[1];
}

/** Whether an exchange is for embeddings or counts in a form that is requested here. */
export function isBeside(recorded: Recorded): boolean {
  if (recorded.method !== 'POST' || recorded.status >= 300) return false;
  return (askedAs(VECTORS, recorded) ?? askedAs(COUNTS, recorded)) !== undefined;
}

export async function checkBeside(lab: Lab, recorded: Recorded): Promise<Problem[]> {
  const vectors = askedAs(VECTORS, recorded);
  if (vectors) return await checkVectors(lab, recorded, vectors);
  const { type, model } = askedAs(COUNTS, recorded)!;
  const body = { messages: [{ role: 'user', content: 'Hi' }] };
  const { status, headers } = recorded;
  const reply = { status, headers, body: recorded.body };
  const got = await lab.post('/v1/messages/count_tokens', body, type, model, reply);
  const right = objectOf(parseJson(textOf(recorded.body)));
  const wanted = right.input_tokens ?? right.totalTokens ?? right.inputTokens;
  const told = objectOf(parseJson(textOf(got.body)));
  return told.input_tokens === wanted
    ? []
    : [{ aspect: 'usage', text: `tokens are ${shown(told)}, not ${shown(wanted)}` }];
}

async function checkVectors(lab: Lab, recorded: Recorded, { type, model }: Asked): Promise<Problem[]> {
  const right = objectOf(parseJson(textOf(recorded.body)));
  const wanted = vectorsIn(right);
  if (wanted.length === 0) return [{ aspect: 'text', text: 'the recording has no vectors' }];
  const input = wanted.length === 1 ? 'Hi' : wanted.map((_, at) => `Hi ${at}`);
  const problems: Problem[] = [];
  for (const format of ['float', 'base64']) {
    const body = { input, encoding_format: format };
    const { status, headers } = recorded;
    const reply = { status, headers, body: recorded.body };
    const got = await lab.post('/v1/embeddings', body, type, model, reply);
    const told = objectOf(parseJson(textOf(got.body)));
    const packed = format === 'base64';
    // Integer vectors, which a vendor only sends in base64, stay unchanged.
    const isOther = wanted.some((vector) => vector.some((each) => !(Math.abs(each) < 1e6)));
    const vectors = objectsOf(told.data).map(({ embedding }) => {
      if (isOther) return numbersOf(embedding);
      // The client receives the requested format, whatever the server sent.
      return (typeof embedding === 'string') === packed ? numbersOf(embedding) : [];
    });
    const shouldBe = packed ? wanted.map((vector) => [...new Float32Array(vector)]) : wanted;
    if (!Bun.deepEquals(vectors, shouldBe))
      problems.push({ aspect: 'text', text: `${format} vectors are ${shown(told)}, not ${shown(shouldBe)}` });
    const tokens = tokensIn(right);
    const given = objectOf(told.usage).prompt_tokens;
    if (tokens !== undefined && given !== tokens)
      problems.push({ aspect: 'usage', text: `usage is ${shown(given)}, not ${tokens}` });
  }
  return problems;
}

function numbersOf(embedding: unknown): number[] {
  if (typeof embedding !== 'string') return embedding as number[];
  const { buffer } = Uint8Array.fromBase64(embedding);
  return buffer.byteLength % 4 === 0 ? [...new Float32Array(buffer)] : [];
}

/** Reads each vendor's shape in the simplest way. */
function vectorsIn({ embeddings, predictions, embedding, data }: Json): number[][] {
  if (Array.isArray(embedding)) return [embedding as number[]];
  const lists = Array.isArray(embeddings) ? (embeddings as unknown[]) : listOf(objectOf(embeddings).float);
  const given = lists.map((each) => (Array.isArray(each) ? (each as number[]) : objectOf(each).values));
  const predicted = listOf(predictions).map((each) => objectOf(objectOf(each).embeddings).values);
  const openai = objectsOf(data).map((each) => numbersOf(each.embedding));
  return [...given, ...predicted, ...openai] as number[][];
}

function tokensIn({
  meta,
  predictions,
  usageMetadata,
  inputTextTokenCount,
  usage,
}: Json): number | undefined {
  const predicted = listOf(predictions).map((each) =>
    numberOf(objectOf(objectOf(objectOf(each).embeddings).statistics).token_count),
  );
  return (
    numberOf(objectOf(objectOf(meta).billed_units).input_tokens) ??
    numberOf(objectOf(usageMetadata).promptTokenCount) ??
    numberOf(inputTextTokenCount) ??
    numberOf(objectOf(usage).prompt_tokens) ??
    (predicted.length > 0 && predicted.every((count) => count !== undefined)
      ? predicted.reduce<number>((sum, count) => sum + (count ?? 0), 0)
      : undefined)
  );
}
