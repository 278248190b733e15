import { expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import {
  decodeGeminiEmbeddings,
  decodeVertexEmbeddings,
  encodeGeminiEmbeddings,
  encodeVertexEmbeddings,
} from '../../src/wire/gemini/embeddings.ts';
import { embeddingInputs, embeddingList } from '../../src/wire/openai/embeddings.ts';

const MODEL = 'gemini-embedding-001';
const NONE = { prompt_tokens: 0, total_tokens: 0 };

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ProxyError) return thrown.fault;
    throw thrown;
  }
  return 'none';
}

test('encodeGeminiEmbeddings() sends one request for each text', () => {
  const one = (text: string) => ({
    model: `models/${MODEL}`,
    content: { parts: [{ text }] },
    taskType: 'RETRIEVAL_QUERY',
    outputDimensionality: 8,
  });
  const request = { input: ['a', 'b'], dimensions: 8, task_type: 'RETRIEVAL_QUERY', user: 'u' };
  expect(encodeGeminiEmbeddings(request, MODEL)).toEqual({
    body: { requests: [one('a'), one('b')] },
    dropped: ['user'],
  });
  expect(encodeGeminiEmbeddings({ input: 'a', user: null }, MODEL)).toEqual({
    body: { requests: [{ model: `models/${MODEL}`, content: { parts: [{ text: 'a' }] } }] },
    dropped: [],
  });
});

test.each([
  ['search_query', 'RETRIEVAL_QUERY'],
  ['search_document', 'RETRIEVAL_DOCUMENT'],
  ['clustering', 'CLUSTERING'],
  ['passage', 'RETRIEVAL_DOCUMENT'],
  ['image', undefined],
])('the input_type %s becomes the task %p', (input_type, taskType) => {
  const { requests } = encodeGeminiEmbeddings({ input: 'a', input_type }, MODEL).body;
  expect((requests as { taskType?: string }[])[0]!.taskType).toBe(taskType);
  const { instances } = encodeVertexEmbeddings({ input: 'a', input_type }).body;
  expect((instances as { task_type?: string }[])[0]!.task_type).toBe(taskType);
});

test('encodeVertexEmbeddings() sends one instance for each text', () => {
  expect(
    encodeVertexEmbeddings({ input: ['a', 'b'], dimensions: 8, task_type: 'CLUSTERING', user: 'u' }),
  ).toEqual({
    body: {
      instances: [
        { content: 'a', task_type: 'CLUSTERING' },
        { content: 'b', task_type: 'CLUSTERING' },
      ],
      parameters: { outputDimensionality: 8 },
    },
    dropped: ['user'],
  });
  expect(encodeVertexEmbeddings({ input: 'a' })).toEqual({
    body: { instances: [{ content: 'a' }] },
    dropped: [],
  });
});

test('decodeGeminiEmbeddings() counts tokens only if the answer has a count', () => {
  const data = [
    { object: 'embedding', index: 0, embedding: [0.5, 1] },
    { object: 'embedding', index: 1, embedding: [2, 0] },
  ];
  const answer = { embeddings: [{ values: [0.5, 1] }, { values: [2, 0] }] };
  expect(decodeGeminiEmbeddings(answer, 'm', 'float')).toEqual({
    object: 'list',
    data,
    model: 'm',
    usage: NONE,
  });
  const single = { embedding: { values: [0.5, 1] }, usageMetadata: { promptTokenCount: 4 } };
  expect(decodeGeminiEmbeddings(single, 'm', 'float')).toEqual({
    object: 'list',
    data: data.slice(0, 1),
    model: 'm',
    usage: { prompt_tokens: 4, total_tokens: 4 },
  });
});

test('decodeVertexEmbeddings() adds up the token counts', () => {
  const prediction = (values: unknown[], token_count: number) => ({
    embeddings: { values, statistics: { token_count, truncated: false } },
  });
  expect(
    decodeVertexEmbeddings({ predictions: [prediction([1], 3), prediction([2, 'x'], 4)] }, 'm', 'float'),
  ).toEqual({
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [1] },
      { object: 'embedding', index: 1, embedding: [2, 0] },
    ],
    model: 'm',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
});

test.each([{}, { embeddings: [] }, { embeddings: [{}] }, { predictions: [{ embeddings: 3 }] }])(
  'decoding an answer without vectors fails as malformed: %j',
  (answer) => {
    expect(faultOf(() => decodeGeminiEmbeddings(answer, 'm', 'float'))).toBe('malformed');
    expect(faultOf(() => decodeVertexEmbeddings(answer, 'm', 'float'))).toBe('malformed');
  },
);

test('embeddingList() writes base64 of little-endian 32-bit floats', () => {
  const { data } = embeddingList([[1, -2.5]], 'm', 'base64', NONE) as { data: { embedding: string }[] };
  const bytes = Uint8Array.fromBase64(data[0]!.embedding);
  expect([...bytes]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
});

test.each([
  ['a', ['a']],
  [
    ['a', ''],
    ['a', ''],
  ],
])('embeddingInputs() accepts %j', (input, texts) => {
  expect(embeddingInputs({ input })).toEqual(texts as string[]);
});

test.each([
  [[1, 2], 'unsupported'],
  [[[1], [2]], 'unsupported'],
  [[], 'invalid_request'],
  [['a', null], 'invalid_request'],
  [undefined, 'invalid_request'],
  [{}, 'invalid_request'],
])('embeddingInputs() refuses %j', (input, fault) => {
  expect(faultOf(() => embeddingInputs({ input }))).toBe(fault);
});
