import { expect, test } from 'bun:test';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';
import { commonContextWindow, contextWindowIn } from '../../src/wire/context-window.ts';
import { classifyBody, classifyStatus } from '../../src/wire/classify.ts';
import { multipartField } from '../../src/wire/multipart.ts';

const body = (error: object) => JSON.stringify({ error });

test.each([
  [429, body({ code: 'rate_limit_exceeded', message: 'slow' }), 'rate_limited'],
  [429, body({ type: 'insufficient_quota', code: 'insufficient_quota' }), 'billing'],
  [429, body({ type: 'insufficient_quota', code: 'project_spend_limit_exceeded' }), 'billing'],
  [402, '', 'billing'],
  [400, body({ message: 'Your credit balance is too low' }), 'billing'],
  [401, body({ message: 'x' }), 'auth'],
  [400, '{"code":"invalid-argument","error":"Incorrect API key provided"}', 'auth'],
  [
    400,
    '[{"error":{"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]',
    'auth',
  ],
  [404, body({ code: 'model_not_found' }), 'not_found'],
  [400, body({ code: 'model_not_found' }), 'not_found'],
  [400, body({ code: 'context_length_exceeded' }), 'context_length'],
  [
    400,
    '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}',
    'context_length',
  ],
  [
    400,
    '{"error":{"code":400,"type":"exceed_context_size_error","message":"request exceeds the available context size"}}',
    'context_length',
  ],
  [
    400,
    body({ code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    'content_policy',
  ],
  [400, body({ message: 'bad' }), 'invalid_request'],
  [422, '{"detail":[{"loc":["body"],"msg":"x"}]}', 'invalid_request'],
  [500, '<html><title>Oops</title></html>', 'server'],
  [502, '', 'server'],
  [503, body({ code: 'slow_down' }), 'overloaded'],
  [529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', 'overloaded'],
  [520, '', 'server'],
] as const)('classifyStatus(%i, %s) is %s', (status, text, fault) => {
  expect(classifyStatus(status, new Headers(), text).fault).toBe(fault);
});

test.each([
  [{ choices: [] }, undefined],
  [{ error: null, choices: [] }, undefined],
  [{ error: { message: 'x', code: 429 } }, 'rate_limited'],
  [{ error: { message: 'x', code: 502 } }, 'server'],
  [{ object: 'error', message: 'x', code: 400, type: 'BadRequestError' }, 'invalid_request'],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'overloaded'],
  [{ error: 'plain words' }, 'server'],
])('classifyBody(%j) is %p', (value, fault) => {
  expect(classifyBody(value)?.fault).toBe(fault as never);
});

const delta = (piece: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta: piece, finish_reason: finish }],
});

test('chatAssembler() folds text, reasoning, tool calls and usage', () => {
  const assembler = chatAssembler();
  for (const chunk of [
    { id: 'a', model: 'm', created: 1, choices: [], prompt_filter_results: [] },
    delta({ role: 'assistant', content: '' }),
    delta({ reasoning_content: 'h' }),
    delta({ reasoning_content: 'm' }),
    delta({ content: 'Hel' }),
    delta({ content: 'lo' }),
    delta({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: ':1}', name: '' } }] }),
    delta({ tool_calls: [{ index: 0, id: 'c2', function: { name: 'g', arguments: '{}' } }] }),
    delta({}, 'tool_calls'),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
  ])
    assembler.push(chunk);
  expect(assembler).toMatchObject({ content: true, finished: true, finish: 'tool_calls' });
  expect(assembler.usage).toMatchObject({ input: 3, output: 4 });
  expect(assembler.result()).toMatchObject({
    id: 'a',
    object: 'chat.completion',
    choices: [
      {
        message: {
          content: 'Hello',
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'c1', function: { name: 'f', arguments: '{"a":1}' } },
            { id: 'c2', function: { name: 'g', arguments: '{}' } },
          ],
        },
      },
    ],
  });
});

test('chatAssembler() is not led astray by absurd indexes', () => {
  const assembler = chatAssembler();
  for (let index = 0; index < 500; index += 1)
    assembler.push({ choices: [{ index: index * 1e6, delta: { content: 'x' } }] });
  expect((assembler.result().choices as unknown[]).length).toBe(128);
});

test('multipartField() takes fields, not files, by their exact name', () => {
  const text =
    '--b"\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\n--b\r\nx\r\n--b"\r\nContent-Disposition: form-data; name=model\r\n\r\nm1\r\n--b"--\r\n';
  const field = multipartField(new TextEncoder().encode(text), 'multipart/form-data; boundary=b"', 'model');
  expect(field?.value).toBe('m1');
});

test.each([
  ["This model's maximum context length is 8192 tokens. However, you requested 9001 tokens", 8192],
  ['prompt is too long: 210000 tokens > 200000 maximum', 200_000],
  ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).', 1_048_575],
  ['the request exceeds the available context size (4096 tokens)', 4096],
  ['something went wrong', undefined],
])('the size of a context is read from "%s"', (message, tokens) => {
  expect(contextWindowIn(message)).toBe(tokens);
});

test('common models have a known context by their name', () => {
  const names = ['gemini-2.5-pro', 'llama-3.3-70b-versatile', 'mistral-large-latest', 'my-own-model'];
  expect(names.map(commonContextWindow)).toEqual([1_048_576, 131_072, 131_072, undefined]);
});

test.each([
  ['parts', 'a:b\r\n\r\n\r\n--x\r\n'.repeat(300)],
  ['lines in a head', `${'content-disposition:'.repeat(100_000)}\r\n\r\n\r\n--x\r\n`],
])('multipartField() does not look through a form with too many %s', (_, before) => {
  const text = `--x\r\n${before}Content-Disposition: form-data; name="model"\r\n\r\nm1\r\n--x--\r\n`;
  const field = (body: string, boundary = 'x') =>
    multipartField(new TextEncoder().encode(body), `multipart/form-data; boundary=${boundary}`, 'model');
  expect(field(text)).toBeUndefined();
  expect(field(`--x\r\nX: y\r\n\r\n\r\n${text}`.replace(before, ''))?.value).toBe('m1');
  const long = '-'.repeat(201);
  expect(field(text.replace(before, '').replaceAll('--x', `--${long}`), long)).toBeUndefined();
});
