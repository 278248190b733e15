import { expect, test } from 'bun:test';
import { decodeBedrockEmbeddings, encodeBedrockEmbeddings } from '../../src/wire/bedrock/embeddings.ts';

const TITAN = 'amazon.titan-embed-text-v2:0';

test('encodeBedrockEmbeddings() drops the task type for Titan', () => {
  const request = { input: 'Hi', task_type: 'CLASSIFICATION', input_type: 'classification' };
  expect(encodeBedrockEmbeddings(request, TITAN).dropped).toEqual(['taskType']);
});

test('encodeBedrockEmbeddings() sends Titan one text, and refuses several', () => {
  expect(encodeBedrockEmbeddings({ model: 'any', input: ['Hi'], dimensions: 256, user: 'u' }, TITAN)).toEqual(
    {
      body: { inputText: 'Hi', dimensions: 256, normalize: true },
      dropped: ['user'],
    },
  );
  expect(() => encodeBedrockEmbeddings({ input: ['Hi', 'Ho'] }, TITAN)).toThrow(
    expect.objectContaining({ fault: 'unsupported', param: 'input' }),
  );
  expect(encodeBedrockEmbeddings({ input: 'Hi', dimensions: 9 }, 'amazon.titan-embed-text-v1')).toEqual({
    body: { inputText: 'Hi' },
    dropped: ['dimensions'],
  });
});

test('encodeBedrockEmbeddings() sends Cohere several texts, and a dimension from version 4 on', () => {
  const request = { input: ['Hi', 'Ho'], dimensions: 512 };
  const texts = ['Hi', 'Ho'];
  expect(encodeBedrockEmbeddings(request, 'us.cohere.embed-v4:0')).toEqual({
    body: { texts, input_type: 'search_document', output_dimension: 512, embedding_types: ['float'] },
    dropped: [],
  });
  expect(encodeBedrockEmbeddings(request, 'cohere.embed-english-v3')).toEqual({
    body: { texts, input_type: 'search_document' },
    dropped: ['dimensions'],
  });
});

test('encodeBedrockEmbeddings() refuses other models', () => {
  expect(() => encodeBedrockEmbeddings({ input: 'Hi' }, 'amazon.nova-lite-v1:0')).toThrow(
    expect.objectContaining({ fault: 'unsupported' }),
  );
});

test('decodeBedrockEmbeddings() returns a list in OpenAI’s shape', () => {
  const list = (vectors: number[][], tokens: number) => ({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'm',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
  const titan = { embedding: [0.5, -1], inputTextTokenCount: 3, embeddingsByType: { float: [0.5, -1] } };
  expect(decodeBedrockEmbeddings(titan, 'm', 'float')).toEqual(list([[0.5, -1]], 3));
  expect(decodeBedrockEmbeddings({ embeddings: [[1], [2]] }, 'm', 'float', 4)).toEqual(list([[1], [2]], 4));
  expect(decodeBedrockEmbeddings({ embeddings: { float: [[1]] } }, 'm', 'float')).toEqual(list([[1]], 0));
  expect(() => decodeBedrockEmbeddings({}, 'm', 'float')).toThrow(
    expect.objectContaining({ fault: 'malformed' }),
  );
});
