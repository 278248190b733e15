import { expect, test } from 'bun:test';
import { decodeCohereEmbeddings, encodeCohereEmbeddings } from '../../src/wire/cohere/embeddings.ts';

test('encodeCohereEmbeddings() always sends an input type, the caller’s if there is one', () => {
  const request = { model: 'emb', input: 'Hi', dimensions: 512, encoding_format: 'base64', user: 'u' };
  expect(encodeCohereEmbeddings(request, 'embed-v4.0')).toEqual({
    body: {
      model: 'embed-v4.0',
      texts: ['Hi'],
      input_type: 'search_document',
      output_dimension: 512,
      embedding_types: ['float'],
    },
    dropped: ['user'],
  });
  expect(
    encodeCohereEmbeddings({ model: 'client', input: ['a', 'b'], input_type: 'search_query' }, 'm'),
  ).toEqual({
    body: { model: 'm', texts: ['a', 'b'], input_type: 'search_query', embedding_types: ['float'] },
    dropped: [],
  });
});

test.each([
  [{ task_type: 'RETRIEVAL_QUERY', input_type: 'search_query' }, []],
  [{ task_type: 'CLUSTERING' }, []],
  [{ task_type: 'SEMANTIC_SIMILARITY' }, ['taskType']],
])('encodeCohereEmbeddings() drops a task that Cohere does not have: %j', (more, dropped) => {
  expect(encodeCohereEmbeddings({ model: 'm', input: 'Hi', ...more }, 'm').dropped).toEqual(dropped);
});

test.each([
  [{ task_type: 'RETRIEVAL_QUERY' }, 'search_query'],
  [{ task_type: 'CLASSIFICATION' }, 'classification'],
  [{ input_type: 'query' }, 'search_query'],
  [{ task_type: 'RETRIEVAL_QUERY', input_type: 'clustering' }, 'clustering'],
  [{ input_type: 7 }, 'search_document'],
  [{}, 'search_document'],
])('the purpose of %j is %s', (more, input_type) => {
  expect(encodeCohereEmbeddings({ model: 'm', input: 'Hi', ...more }, 'm').body.input_type).toBe(input_type);
});

test('decodeCohereEmbeddings() returns a list in OpenAI’s shape', () => {
  const answer = {
    embeddings: { float: [[1, 0.5], [-2]] },
    meta: { billed_units: { input_tokens: 7 } },
  };
  const list = (one: unknown, two: unknown) => ({
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: one },
      { object: 'embedding', index: 1, embedding: two },
    ],
    model: 'm',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
  expect(decodeCohereEmbeddings(answer, 'm', 'float')).toEqual(list([1, 0.5], [-2]));
  expect(decodeCohereEmbeddings(answer, 'm', 'base64')).toEqual(list('AACAPwAAAD8=', 'AAAAwA=='));
  expect(() => decodeCohereEmbeddings({ message: 'no' }, 'm', 'float')).toThrow(
    expect.objectContaining({ fault: 'malformed' }),
  );
});
