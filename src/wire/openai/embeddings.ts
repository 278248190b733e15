import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { listOf, objectOf, numberOf } from '../json.ts';
import { numbers } from '../shapes/shape.ts';

/** The texts of a request. @throws ProxyError `invalid_request` for other values, `unsupported` for tokens */
export function embeddingInputs(request: JsonObject): string[] {
  const list = Array.isArray(request.input) ? (request.input as unknown[]) : [request.input];
  if (list.some((text) => typeof text === 'number' || Array.isArray(text))) {
    throw new ProxyError('unsupported', 'Cannot translate input: only texts are accepted', {
      param: 'input',
    });
  }
  if (list.length === 0 || list.some((text) => typeof text !== 'string')) {
    throw new ProxyError('invalid_request', 'Cannot translate input: expected texts', { param: 'input' });
  }
  return list as string[];
}

/** The tokens that a request contains in place of texts: lists of them, or one; `undefined` for anything else. */
export function tokenLists(input: unknown): number[][] | undefined {
  if (!Array.isArray(input) || input.length === 0) return undefined;
  const lists = input.every((each) => typeof each === 'number') ? [input] : input;
  return lists.every(areTokens) ? lists : undefined;
}

function areTokens(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token) && token >= 0)
  );
}

/** Vectors in OpenAI's format. @param format `base64` is of little-endian 32-bit floats */
export function embeddingList(
  vectors: number[][],
  model: string,
  format: 'float' | 'base64',
  usage: { prompt_tokens: number; total_tokens: number },
): JsonObject {
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? base64(vector) : vector,
  }));
  return { object: 'list', data, model, usage };
}

/** The numbers of a vector, read leniently: other values become 0. */
export function vectorOf(value: unknown): number[] {
  const list = listOf(value);
  // There may be millions of numbers.
  return numbers(list) === undefined ? (list as number[]) : list.map((number) => numberOf(number) ?? 0);
}

/**
 * Converts vectors from lists of numbers to base64: some servers only return lists, and clients that requested base64
 * decode whatever they receive as that. @returns `undefined` when no change is needed
 */
export function inBase64(answer: JsonObject): JsonObject | undefined {
  const given = listOf(answer.data);
  if (!given.some((each) => isVector(objectOf(each).embedding))) return undefined;
  const data = given.map((each) => {
    const { embedding } = objectOf(each);
    return isVector(embedding) ? { ...objectOf(each), embedding: base64(vectorOf(embedding)) } : each;
  });
  return { ...answer, data };
}

/**
 * Converts vectors from base64 to numbers, if the client did not request base64: some servers only return
 * base64. @returns `undefined` when no change is needed
 */
export function inNumbers(answer: JsonObject): JsonObject | undefined {
  const given = listOf(answer.data);
  const vectors = given.map((each) => numbersIn(objectOf(each).embedding));
  if (vectors.every((vector) => vector === undefined)) return undefined;
  const data = given.map((each, at) => (vectors[at] ? { ...objectOf(each), embedding: vectors[at] } : each));
  return { ...answer, data };
}

/** Little-endian 32-bit floats in base64; `undefined` for anything else. */
function numbersIn(text: unknown): number[] | undefined {
  if (typeof text !== 'string' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    return undefined;
  const bytes = Uint8Array.fromBase64(text);
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const vector = [...new Float32Array(bytes.buffer)];
  return vector.every(isOfVector) ? vector : undefined;
}

/** Integer vectors, as some vendors return them, would decode to numbers that no vector contains. */
function isOfVector(number: number): boolean {
  const size = Math.abs(number);
  return size === 0 || (size > 1e-20 && size < 1e6);
}

/** Some servers return lists of vectors, one per token: these are kept. */
function isVector(value: unknown): value is unknown[] {
  return Array.isArray(value) && typeof value[0] === 'number';
}

function base64(vector: number[]): string {
  // Little-endian, as are all machines that this runs on.
  return new Uint8Array(new Float32Array(vector).buffer).toBase64();
}
