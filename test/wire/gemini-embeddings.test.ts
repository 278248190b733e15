import { describe, expect, test } from 'bun:test';
import { decodeGeminiEmbeddings, decodeVertexEmbeddings } from '../../src/wire/gemini/embeddings.ts';

describe('embeddings of Gemini', () => {
  test('are in OpenAI’s shape, with their tokens where they were counted', () => {
    const answer = { embeddings: [{ values: [0.5, -1] }, { values: [2, 0] }] };
    expect(decodeGeminiEmbeddings(answer, 'm', 'float')).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -1] },
        { object: 'embedding', index: 1, embedding: [2, 0] },
      ],
      model: 'm',
      usage: { prompt_tokens: 0, total_tokens: 0 },
    });
    const counted = { ...answer, usageMetadata: { promptTokenCount: 4 } };
    expect(decodeGeminiEmbeddings(counted, 'm', 'float').usage).toEqual({
      prompt_tokens: 4,
      total_tokens: 4,
    });
  });

  test('are packed where a client asks for it', () => {
    const answer = { embeddings: [{ values: [1] }] };
    const data = [{ object: 'embedding', index: 0, embedding: 'AACAPw==' }];
    expect(decodeGeminiEmbeddings(answer, 'm', 'base64').data).toEqual(data);
  });

  test('that are none are no answer', () => {
    expect(() => decodeGeminiEmbeddings({}, 'm', 'float')).toThrow('no embeddings');
    expect(() => decodeVertexEmbeddings({}, 'm', 'float')).toThrow('no embeddings');
  });
});

test('embeddings of Vertex add their tokens up', () => {
  const one = (values: number[], token_count: number) => ({
    embeddings: { values, statistics: { token_count } },
  });
  const answer = { predictions: [one([1], 3), one([2], 4)] };
  expect(decodeVertexEmbeddings(answer, 'm', 'float')).toMatchObject({
    data: [{ embedding: [1] }, { embedding: [2] }],
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
});
