import { describe, expect, test } from 'bun:test';
import type { ChatChunk, ChatResponse } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { classifyBody } from '../../src/wire/classify.ts';
import { geminiProtocol } from '../../src/wire/gemini/protocol.ts';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';
import { geminiUsage } from '../../src/wire/gemini/usage.ts';

function begin(remembered = new Map<string, JsonObject>()) {
  let ids = 0;
  const memory = {
    get: (id: string) => remembered.get(id),
    set: (id: string, value: JsonObject) => void remembered.set(id, value),
  };
  const context = { model: 'gemini-9', quirks: {}, created: 7, newId: () => `id${(ids += 1)}`, memory };
  return geminiProtocol.encode({ model: 'any', messages: [{ role: 'user', content: 'Hi' }] }, context);
}

const answerOf = (
  parts: (JsonObject | null)[],
  finishReason: string | null = 'STOP',
  more: JsonObject = {},
) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason, index: 0, ...more }],
});

const decode = (body: JsonObject) => begin().decode(body);
const messageOf = (parts: JsonObject[]) => decode(answerOf(parts)).choices[0]!.message;
const signed = (thought_signature: string) => ({ extra_content: { google: { thought_signature } } });

/** The chunks that a stream of answers becomes, and the reader, for its state. */
function read(answers: unknown[], ended = true) {
  const reader = begin().stream();
  const chunks: ChatChunk[] = answers.flatMap((answer) =>
    reader.push({ data: typeof answer === 'string' ? answer : JSON.stringify(answer) }),
  );
  if (ended) chunks.push(...reader.end());
  return { reader, chunks };
}

function assembled(chunks: readonly ChatChunk[]): ChatResponse {
  const assembler = chatAssembler();
  for (const chunk of chunks) assembler.push(chunk);
  return assembler.result() as unknown as ChatResponse;
}

/** Only the deltas and the finish reasons. */
const saying = (chunks: readonly ChatChunk[]) =>
  chunks.flatMap(({ choices }) => choices.map(({ delta, finish_reason }) => finish_reason ?? delta));

describe('decode() of a Gemini answer', () => {
  test('returns the text and the usage', () => {
    expect(
      decode({
        ...answerOf([{ text: 'Hello' }, { text: ' you' }]),
        usageMetadata: {
          promptTokenCount: 10,
          cachedContentTokenCount: 4,
          toolUsePromptTokenCount: 3,
          candidatesTokenCount: 5,
          thoughtsTokenCount: 20,
          totalTokenCount: 38,
        },
        modelVersion: 'gemini-9-001',
        responseId: 'r1',
      }),
    ).toEqual({
      id: 'chatcmpl-r1',
      object: 'chat.completion',
      created: 7,
      model: 'gemini-9-001',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello you', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 13,
        completion_tokens: 25,
        total_tokens: 38,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
    });
  });

  test('adds an id and a model if the answer has none', () => {
    expect(decode(answerOf([{ text: 'x' }]))).toMatchObject({ id: 'chatcmpl-id1', model: 'gemini-9' });
    expect('usage' in decode(answerOf([]))).toBe(false);
  });

  test('separates reasoning, signatures and executed code from text', () => {
    expect(
      messageOf([
        { text: 'Hm', thought: true },
        { executableCode: { language: 'PYTHON', code: '1' } },
        { codeExecutionResult: { outcome: 'OUTCOME_OK' } },
        { text: 'Yes' },
        { text: '', thoughtSignature: 's1' },
      ]),
    ).toEqual({
      role: 'assistant',
      content: 'Yes',
      refusal: null,
      reasoning_content: 'Hm',
      ...signed('s1'),
      parts: [
        { type: 'thinking', text: 'Hm' },
        { type: 'hosted_call', id: 'code', name: 'code_execution', input: '{"code":"1"}' },
        { type: 'hosted_result', id: 'code', name: 'code_execution', sources: [], output: '' },
        { type: 'text', text: 'Yes', ...signed('s1') },
      ],
    });
  });

  test('returns function calls, and stores each signature under the id of its call', () => {
    const remembered = new Map<string, JsonObject>();
    const parts = [
      { functionCall: { name: 'look', args: { at: 1 } }, thoughtSignature: 's1' },
      { functionCall: { id: 'theirs', name: 'look' } },
    ];
    const { message, finish_reason } = begin(remembered).decode(answerOf(parts)).choices[0]!;
    expect(finish_reason).toBe('tool_calls');
    expect(message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        {
          id: 'call_id1',
          type: 'function',
          function: { name: 'look', arguments: '{"at":1}' },
          ...signed('s1'),
        },
        { id: 'theirs', type: 'function', function: { name: 'look', arguments: '{}' } },
      ],
    });
    expect([...remembered]).toEqual([['call_id1', signed('s1')]]);
  });

  test('returns one choice for each candidate', () => {
    const [one] = answerOf([{ text: 'a' }]).candidates;
    const { choices } = decode({ candidates: [one!, { ...one, index: undefined }] });
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('returns log probabilities', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'a', tokenId: 5, logProbability: -0.5 }],
      topCandidates: [
        {
          candidates: [
            { token: 'a', logProbability: -0.5 },
            { token: 'b', logProbability: -2 },
          ],
        },
      ],
    };
    expect(decode(answerOf([{ text: 'a' }], 'STOP', { logprobsResult })).choices[0]!.logprobs).toEqual({
      content: [
        {
          token: 'a',
          logprob: -0.5,
          bytes: null,
          top_logprobs: [
            { token: 'a', logprob: -0.5, bytes: null },
            { token: 'b', logprob: -2, bytes: null },
          ],
        },
      ],
      refusal: null,
    });
  });

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['MODEL_ARMOR', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'MALFORMED_FUNCTION_CALL'],
    ['UNEXPECTED_TOOL_CALL', 'UNEXPECTED_TOOL_CALL'],
    ['TOO_MANY_TOOL_CALLS', 'TOO_MANY_TOOL_CALLS'],
    ['MALFORMED_RESPONSE', 'MALFORMED_RESPONSE'],
    ['OTHER', 'OTHER'],
    ['SOMETHING_NEW', 'SOMETHING_NEW'],
  ])('and stream() map the finish reason %s to %s', (word, finish) => {
    const answer = answerOf([{ text: 'x' }], word);
    expect(decode(answer).choices[0]!.finish_reason).toBe(finish);
    expect(saying(read([answer]).chunks).at(-1)).toBe(finish as never);
  });

  test('returns no finish reason if the answer has none', () => {
    const bare = (part: JsonObject) => ({ candidates: [{ content: { parts: [part] } }] });
    expect(decode(bare({ text: 'x' })).choices[0]!.finish_reason).toBeNull();
    expect(decode(bare({ functionCall: { name: 'f' } })).choices[0]!.finish_reason).toBeNull();
  });

  test('returns content_filter and no text for a blocked prompt', () => {
    const { choices, usage } = decode({
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { promptTokenCount: 5 },
    });
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: '', refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 0 });
  });

  test('refuses a body without candidates as malformed, and reads odd candidates', () => {
    for (const body of [{}, { candidates: [] }, { candidates: 'x' }]) {
      expect(() => decode(body)).toThrow(ProxyError);
    }
    for (const candidate of [
      {},
      { content: null },
      { content: { parts: [null, 3, {}] } },
      { content: 'x' },
    ]) {
      expect(decode({ candidates: [candidate] }).choices[0]!.message.content).toBe('');
    }
  });
});

test('geminiUsage() counts audio and images separately', () => {
  const details = (AUDIO: number, IMAGE: number) =>
    Object.entries({ TEXT: 1, AUDIO, IMAGE }).map(([modality, tokenCount]) => ({ modality, tokenCount }));
  expect(
    geminiUsage({
      promptTokenCount: 20,
      promptTokensDetails: details(4, 5),
      cacheTokensDetails: details(2, 0),
      cachedContentTokenCount: 3,
      candidatesTokenCount: 30,
      candidatesTokensDetails: details(6, 99),
    }),
  ).toMatchObject({ inputAudio: 4, inputImage: 5, cachedAudio: 2, outputAudio: 6, outputImage: 30 });
});

describe('stream() of a Gemini answer', () => {
  const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, thoughtsTokenCount: 4 };
  const usage = {
    prompt_tokens: 3,
    completion_tokens: 6,
    total_tokens: 9,
    prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 4 },
  };

  test('begins with the role, and ends with the finish reason and the usage', () => {
    const { reader, chunks } = read([
      { ...answerOf([{ text: 'Hm', thought: true }], null), responseId: 'r', modelVersion: 'v' },
      { ...answerOf([{ text: 'He' }], null), responseId: 'r' },
      { ...answerOf([{ text: 'y', thoughtSignature: 's' }]), usageMetadata, responseId: 'r' },
    ]);
    const chunk = (delta: JsonObject, finish_reason: string | null = null) => ({
      id: 'chatcmpl-r',
      object: 'chat.completion.chunk',
      created: 7,
      model: 'v',
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    });
    expect(chunks as unknown[]).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Hm' }),
      chunk({ content: 'He' }),
      chunk({ content: 'y', ...signed('s') }),
      chunk({}, 'stop'),
      { ...chunk({}), choices: [], usage },
    ]);
    expect({ done: reader.done, error: reader.error, malformed: reader.malformed }).toEqual({
      done: true,
      error: undefined,
      malformed: 0,
    });
  });

  test('is done only at the end of the stream, because the usage can come last', () => {
    const { reader, chunks } = read([answerOf([{ text: 'x' }]), { usageMetadata }], false);
    expect([reader.done, reader.finished]).toEqual([false, true]);
    expect(saying(chunks).at(-1)).toEqual({ content: 'x' } as never);
    const end = reader.end();
    expect([end[0]?.choices[0]?.finish_reason, end[1]?.usage]).toEqual(['stop', usage]);
    expect(reader.done).toBe(true);
    expect(reader.end()).toEqual([]);
    expect(reader.push({ data: JSON.stringify(answerOf([{ text: 'y' }])) })).toEqual([]);
  });

  test('goes on if every event has a finish reason', () => {
    const call = { functionCall: { name: 'look', args: {} } };
    const { chunks } = read([answerOf([{ text: 'x' }]), answerOf([{ text: 'y' }]), answerOf([call])]);
    const finishes = chunks.map(({ choices }) => choices[0]?.finish_reason);
    expect(finishes).toEqual([null, null, null, null, 'tool_calls']);
  });

  test('reports usage early, and keeps counts that a later event omits', () => {
    const { reader } = read(
      [{ ...answerOf([{ text: 'x' }], null), usageMetadata }, { usageMetadata: { candidatesTokenCount: 8 } }],
      false,
    );
    expect(reader.usage).toEqual({ input: 3, cached: 0, cacheWrite: 0, output: 12, reasoning: 4 });
  });

  test('has no finish reason if it is cut off', () => {
    for (const answers of [[], [answerOf([{ text: 'x' }], null)], [{ usageMetadata }]]) {
      const { reader, chunks } = read(answers);
      expect(chunks.every(({ choices: [choice] }) => choice?.finish_reason === null)).toBe(true);
      expect(reader.done).toBe(false);
    }
  });

  test('sends parallel calls in full, numbered across events', () => {
    const call = (at: number) => ({ functionCall: { name: 'look', args: { at } } });
    const { chunks } = read([
      answerOf([{ text: 'So' }, { ...call(1), thoughtSignature: 's' }], null),
      answerOf([call(2)], null),
      answerOf([{ text: '' }]),
    ]);
    const piece = (index: number, id: string, extra = {}) => ({
      index,
      id,
      type: 'function',
      function: { name: 'look', arguments: `{"at":${index + 1}}` },
      ...extra,
    });
    expect(saying(chunks) as unknown[]).toEqual([
      { role: 'assistant', content: '' },
      { content: 'So' },
      { tool_calls: [piece(0, 'call_id2', signed('s'))] },
      { tool_calls: [piece(1, 'call_id3')] },
      'tool_calls',
    ]);
  });

  test('adds up to the same answer as decode()', () => {
    const parts = [
      { text: 'Hm', thought: true },
      { text: 'Yes', thoughtSignature: 's' },
      { functionCall: { id: 'c', name: 'look', args: {} }, thoughtSignature: 't' },
    ];
    const logprobsResult = { chosenCandidates: [{ token: 'Yes', logProbability: -1 }] };
    const answer = { ...answerOf(parts, 'STOP', { logprobsResult }), usageMetadata, responseId: 'r' };
    const { choices, ...rest } = decode(answer);
    const { refusal: _, ...message } = choices[0]!.message;
    const { refusal: _none, ...logprobs } = choices[0]!.logprobs as JsonObject;
    expect(assembled(read([answer]).chunks)).toEqual({
      ...rest,
      choices: [{ ...choices[0]!, message, logprobs }],
    });
  });

  test('keeps candidates apart', () => {
    const candidate = (index: number, text: string, finishReason?: string) => ({
      index,
      content: { parts: [{ text }] },
      finishReason,
    });
    const { reader, chunks } = read([
      { candidates: [candidate(0, 'a'), candidate(1, 'b')] },
      { candidates: [candidate(1, 'B', 'STOP')] },
      { candidates: [candidate(0, 'A', 'MAX_TOKENS')] },
    ]);
    expect(
      assembled(chunks).choices.map(({ message, finish_reason }) => [message.content, finish_reason]),
    ).toEqual([
      ['aA', 'length'],
      ['bB', 'stop'],
    ]);
    expect(reader.done).toBe(true);
    expect(read([{ candidates: [candidate(0, 'a', 'STOP'), candidate(1, 'b')] }]).reader.done).toBe(false);
  });

  test('sends one finish reason even if several events have one', () => {
    const { chunks } = read([answerOf([{ text: 'x' }]), answerOf([])]);
    expect(saying(chunks).filter((said) => typeof said === 'string')).toEqual(['stop' as never]);
  });

  test('sends content_filter and no text for a blocked prompt', () => {
    const { reader, chunks } = read([{ promptFeedback: { blockReason: 'SAFETY' } }]);
    expect(saying(chunks) as unknown[]).toEqual([{ role: 'assistant', content: '' }, 'content_filter']);
    expect(reader.done).toBe(true);
  });

  test('reads the usage in an error event, and ignores counts of null', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
    const { reader } = read([
      { ...answerOf([{ text: 'x' }], null), usageMetadata: { promptTokenCount: 4 } },
      { error, usageMetadata: { promptTokenCount: null, candidatesTokenCount: 3 } },
    ]);
    expect(reader.usage).toMatchObject({ input: 4, output: 3 });
  });

  test.each([
    [{ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }, 'overloaded'],
    [[{ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }], 'rate_limited'],
    [{ error: 'out of order' }, 'server'],
  ])('stops at the error %j', (event, fault) => {
    const { reader, chunks } = read([answerOf([{ text: 'x' }], null), event, answerOf([{ text: 'y' }])]);
    expect(classifyBody(reader.error)?.fault).toBe(fault as never);
    expect(saying(chunks) as unknown[]).toEqual([{ role: 'assistant', content: '' }, { content: 'x' }]);
  });

  test('skips and counts events that it cannot read', () => {
    const odd = ['', 'x', '3', '[]', '[1]', 'null', { candidates: [null, 3] }, { candidates: 3 }, {}];
    const { reader, chunks } = read([...odd, answerOf([{ text: 'x' }, {}])]);
    expect(reader.malformed).toBe(8);
    expect(saying(chunks) as unknown[]).toEqual([
      { role: 'assistant', content: '' },
      { content: 'x' },
      'stop',
    ]);
  });

  test('reads server-sent events that are cut at any byte', () => {
    const bytes = new TextEncoder().encode(
      [answerOf([{ text: 'Grüße' }], null), answerOf([{ text: '!' }])]
        .map((answer) => `data: ${JSON.stringify(answer)}\r\n\r\n`)
        .join(''),
    );
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const framing = geminiProtocol.framing();
      const events = [framing.push(bytes.subarray(0, cut)), framing.push(bytes.subarray(cut)), framing.end()];
      const { chunks } = read(events.flat().map(({ data }) => data));
      expect(assembled(chunks).choices[0]!.message.content).toBe('Grüße!');
    }
  });
});
