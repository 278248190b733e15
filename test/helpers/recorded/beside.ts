/** Recorded embeddings and counts of tokens, through what reads them. */
import type { CountingName } from '../../../src/providers/base.ts';
import type { EmbeddingProtocolName } from '../../../src/wire/embeddings.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import type { Recorded } from './exchange.ts';
import { COUNTING } from '../../../src/pipeline/lanes/count.ts';
import { EMBEDDINGS } from '../../../src/pipeline/lanes/embed.ts';
import { listOf, numberOf, objectOf, parseJson } from '../../../src/wire/json.ts';
import { differences } from './compare.ts';
import { textOf } from './exchange.ts';

const VECTORS: readonly (readonly [RegExp, EmbeddingProtocolName])[] = [
  [/:batchEmbedContents$/, 'gemini'],
  [/embedding[^/]*:predict$/, 'vertex'],
  [/\/v2\/embed$/, 'cohere'],
  [/(?:titan-embed|cohere\.embed)[^/]*\/invoke$/, 'bedrock'],
];

const COUNTS: readonly (readonly [RegExp, CountingName])[] = [
  [/\/v1\/messages\/count_tokens$/, 'messages'],
  [/:countTokens$/, 'gemini'],
  [/\/count-tokens$/, 'converse'],
];

function spoken<T>(table: readonly (readonly [RegExp, T])[], { url }: Recorded): T | undefined {
  const path = decodeURIComponent(url.replace(/[?#].*$/, ''));
  return table.find(([pattern]) => pattern.test(path))?.[1];
}

/** Whether an exchange is of embeddings or counts as they are asked for here. */
export function isBeside(recorded: Recorded): boolean {
  return (spoken(VECTORS, recorded) ?? spoken(COUNTS, recorded)) !== undefined;
}

/** What is wrong with how an answer beside the chats is understood; `undefined` for what is not asked for here. */
export function checkBeside(recorded: Recorded): string[] | undefined {
  const body = objectOf(parseJson(textOf(recorded.body)));
  const vectors = spoken(VECTORS, recorded);
  if (vectors) return checkVectors(vectors, body);
  const count = spoken(COUNTS, recorded);
  const said = numberOf(body.input_tokens) ?? numberOf(body.totalTokens) ?? numberOf(body.inputTokens);
  return count && differences('count', COUNTING[count].decode(body), said);
}

function checkVectors(name: EmbeddingProtocolName, body: JsonObject): string[] {
  const wanted = vectorsIn(body);
  const list = EMBEDDINGS[name].decode(body, 'm', 'float');
  const packed = listOf(EMBEDDINGS[name].decode(body, 'm', 'base64').data);
  const data = wanted.map((embedding, index) => ({ object: 'embedding', index, embedding }));
  const tokens = tokensIn(body);
  return [
    ...(wanted.length === 0 ? ['has no vectors'] : []),
    ...differences('data', list.data, data),
    ...differences(
      'base64',
      packed.map((each) => numbersOf(String(objectOf(each).embedding))),
      wanted.map((vector) => [...new Float32Array(vector)]),
    ),
    ...differences('usage', list.usage, { prompt_tokens: tokens, total_tokens: tokens }),
  ];
}

function numbersOf(base64: string): number[] {
  const { buffer } = Uint8Array.fromBase64(base64);
  return [...new Float32Array(buffer)];
}

/** By the plainest reading of each vendor's shape. */
function vectorsIn({ embeddings, predictions, embedding }: JsonObject): number[][] {
  if (Array.isArray(embedding)) return [embedding as number[]];
  const lists = Array.isArray(embeddings) ? (embeddings as unknown[]) : listOf(objectOf(embeddings).float);
  const given = lists.map((each) => (Array.isArray(each) ? (each as number[]) : objectOf(each).values));
  const predicted = listOf(predictions).map((each) => objectOf(objectOf(each).embeddings).values);
  return [...given, ...predicted] as number[][];
}

function tokensIn({ meta, predictions, usageMetadata, inputTextTokenCount }: JsonObject): number {
  const predicted = listOf(predictions).map(
    (each) => numberOf(objectOf(objectOf(objectOf(each).embeddings).statistics).token_count) ?? 0,
  );
  return (
    numberOf(objectOf(objectOf(meta).billed_units).input_tokens) ??
    numberOf(objectOf(usageMetadata).promptTokenCount) ??
    numberOf(inputTextTokenCount) ??
    predicted.reduce((sum, each) => sum + each, 0)
  );
}
